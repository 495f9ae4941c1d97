"""What the Python code must keep to."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import ROOT
from webapp.settings import table_in_markdown

CODE = sorted((ROOT / "webapp").rglob("*.py"))
CORE = [file for file in CODE if {"licensing", "models"} & set(file.relative_to(ROOT).parts)]
OTHERS = [*(ROOT / "migrations").rglob("*.py"), *(ROOT / "tests").glob("[!_]*.py")]
TELLS_THE_TIME = {
    "now", "utcnow", "today", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter",
    "current_timestamp", "current_date", "current_time", "localtimestamp",
}  # fmt: skip


def where(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def nodes(file: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(file.read_text("utf-8")))


@pytest.mark.parametrize("file", [*CODE, *OTHERS], ids=where)
def test_every_module_says_why_it_exists(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text("utf-8"))), "begin it with a docstring"


def test_the_app_commits_in_one_place() -> None:
    commits = [
        where(file) for file in CODE for node in nodes(file)
        if isinstance(node, ast.Attribute) and node.attr == "commit"
    ]  # fmt: skip
    assert commits == ["webapp/database.py"], "use database.transaction(); nothing else commits"


def test_the_core_has_no_clock_of_its_own() -> None:
    assert CORE
    for file in CORE:
        for node in nodes(file):
            if isinstance(node, ast.Attribute) and node.attr in TELLS_THE_TIME:
                raise AssertionError(f"{where(file)}:{node.lineno}: take the moment as an argument")
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert "time" not in names, f"{where(file)} imports time: take the moment as an argument"


def test_html_is_made_by_templates_alone() -> None:
    for file in CODE:
        for node in nodes(file):
            name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
            assert name not in ("Markup", "render_template_string"), f"{where(file)}: use a template"


def lint_imports(folder: Path, config: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()",
         "--config", str(config), "--cache-dir", str(folder / "cache")],
        cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


def test_each_layer_imports_only_what_stands_below_it(tmp_path: Path) -> None:
    ran = lint_imports(tmp_path, ROOT / "pyproject.toml")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_page_is_named_where_pages_are_kept_apart() -> None:
    named = set(re.findall(r'"(webapp\.pages\.\w+)"', (ROOT / "pyproject.toml").read_text("utf-8")))
    there = {
        f"webapp.pages.{path.stem}"
        for path in (ROOT / "webapp" / "pages").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    } - {"webapp.pages.__init__"}
    assert named == there, "name it in the contract “pages never import one another”"


def test_the_readme_has_the_table_of_settings_as_the_code_has_it() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert table_in_markdown() in readme, "put webapp.settings.table_in_markdown() into README.md"


def test_every_folder_of_tests_is_run_by_the_test_command_or_by_name() -> None:
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    named = set(configured["testpaths"])
    alone = set(re.findall(r"pytest (tests/\w+)", (ROOT / ".ci" / "run").read_text("utf-8")))
    folders = {
        f"tests/{file.parent.relative_to(ROOT / 'tests')}" for file in (ROOT / "tests").rglob("test_*.py")
    }
    assert folders == named | alone
