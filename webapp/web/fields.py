"""How problems reach the fields of a form: as ``templates/components/fields.html`` shows them."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from webapp.licensing.errors import Problem


def errors_at(problems: Sequence[Problem]) -> dict[str, Any]:
    """What is wrong, all of it and by its field; a sentence told twice is told once."""
    at: dict[str, list[dict[str, str]]] = {}
    for problem in problems:
        told = {
            "sentence": problem.sentence, "way_out": problem.way_out, "way": _suggested(problem),
            "link": str(problem.facts.get("location", "")),
        }  # fmt: skip
        if told not in at.setdefault(problem.field, []):
            at[problem.field].append(told)
    saved_before = any("location" in problem.facts for problem in problems)
    return {"at": at, "count": sum(map(len, at.values())), "saved_before": saved_before}


def _suggested(problem: Problem) -> str:
    """A value that a tap may put in: the username without its spaces."""
    value = problem.facts.get("suggestion")
    return urlencode({problem.field: str(value)}) if value else ""
