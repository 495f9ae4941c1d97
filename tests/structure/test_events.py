"""What is logged is written down: every event that the code tells stands in the README's table, and no other."""

import ast
import re

import pytest

from tests.servers import ROOT
from tests.structure.test_code import CODE, nodes


def told_by_the_code() -> set[str]:
    """The names in ``event("name")`` and in the record of each request."""
    found = {"request"}
    for file in CODE:
        for node in nodes(file):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "event":
                name = node.args[0]
                assert isinstance(name, ast.Constant), f"{file.name}:{node.lineno}: write the name out"
                found.add(name.value)
    return found


@pytest.mark.case("ASVS 16.1.1")
def test_every_event_of_the_log_is_in_the_readme_and_nothing_else_is() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    table = readme.partition("| event | when |")[2].partition("\n\n")[0]
    names = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    written = {name for names_ in names for name in re.findall(r"`(\w+)`", names_)}
    assert written == told_by_the_code()
