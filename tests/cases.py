"""The list of what License Desk must stand, and which test proves which case of it.

The list is ``cases.toml``. A test says what it proves by ``@pytest.mark.case("AUTH-1", "ASVS 7.4.1")``, on itself,
its class or its module. Marks are read from the source, so that none is missed because its tests were skipped.
"""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_name("cases.toml")


@dataclass(frozen=True)
class Case:
    """What it means here, and why it has no test; empty: it must have one."""

    name: str
    meaning: str
    untested: str


def read(text: str) -> dict[str, Case]:
    """The cases by name. ASVS numbers are ``ASVS 1.2.3``."""
    told = tomllib.loads(text)
    meanings = told["examples"] | {f"ASVS {number}": meaning for number, meaning in told["asvs"].items()}
    reasons = told["untested"]
    assert reasons.keys() <= meanings.keys(), f"unknown: {reasons.keys() - meanings.keys()}"
    return {name: Case(name, meaning, reasons.get(name, "")) for name, meaning in meanings.items()}


def marked(source: str) -> Iterator[str]:
    """The names in the marks of a module of tests; a mark that pytest would not heed, or not of plain names, raises."""
    tree = ast.parse(source)
    heeded = {call for node in ast.walk(tree) for call in _calls_on(node)}
    for node in ast.walk(tree):
        if _is_mark(node):
            assert node in heeded, f"line {node.lineno}: put the mark on a test, a class or pytestmark"
            yield from _names(node)


def faults(cases: dict[str, Case], proved: dict[str, list[str]]) -> list[str]:
    """What does not fit: ``proved`` has the places of the marks by name."""
    unknown = [
        f"{name}: no such case, at {places[0]}" for name, places in proved.items() if name not in cases
    ]
    lacking = [
        f"{case.name}: no test proves it" for case in cases.values()
        if not case.untested and case.name not in proved
    ]  # fmt: skip
    after_all = [
        f"{case.name}: tested at {proved[case.name][0]}, take its reason away" for case in cases.values()
        if case.untested and case.name in proved
    ]  # fmt: skip
    return [*unknown, *lacking, *after_all]


def _is_mark(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="case", value=ast.Attribute(attr="mark"))):
            return True
    return False


def _calls_on(node: ast.AST) -> list[ast.AST]:
    """The marks that stand where pytest looks for them."""
    match node:
        case ast.FunctionDef(name=name, decorator_list=found) if name.startswith("test_"):
            return found
        case ast.ClassDef(name=name, decorator_list=found) if name.startswith("Test"):
            return found
        case ast.Assign(targets=[ast.Name(id="pytestmark")], value=ast.List(elts=found)):
            return found
        case ast.Assign(targets=[ast.Name(id="pytestmark")], value=found):
            return [found]
    return []


def _names(call: ast.Call) -> list[str]:
    assert call.args, f"line {call.lineno}: name a case"
    assert not call.keywords, f"line {call.lineno}: names alone"
    names = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    assert len(names) == len(call.args), f"line {call.lineno}: write the names out"
    return [str(name) for name in names]
