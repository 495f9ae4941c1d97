"""Every case of the list has a test or a reason, and every mark a case."""

from collections import defaultdict

import pytest

from tests.cases import LIST, Case, faults, marked, read
from tests.servers import ROOT

CASES = {"A-1": Case("A-1", "meaning", ""), "A-2": Case("A-2", "meaning", "no such feature yet")}


def test_every_case_has_a_test_or_a_reason_and_every_mark_is_a_case() -> None:
    proved = defaultdict(list)
    tests = ROOT / "tests"
    for file in sorted((*tests.rglob("test_*.py"), *tests.glob("long/*.py"))):
        for name in marked(file.read_text("utf-8")):
            proved[name].append(file.relative_to(ROOT).as_posix())
    assert faults(read(LIST.read_text("utf-8")), proved) == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('@pytest.mark.case("A-1", "A-2")\ndef test_x(): ...', ["A-1", "A-2"]),
        ('@pytest.mark.case("A-1")\nclass TestX: ...', ["A-1"]),
        ('pytestmark = pytest.mark.case("A-1")', ["A-1"]),
        ('pytestmark = [pytest.mark.case("A-1"), pytest.mark.other("A-2")]', ["A-1"]),
        ("def test_x(): ...", []),
    ],
)
def test_marks_are_read_from_the_source(source: str, names: list[str]) -> None:
    assert list(marked(source)) == names


@pytest.mark.parametrize(
    "source",
    [
        '@pytest.mark.case("A-1")\ndef helper(): ...',
        'pytest.param(1, marks=pytest.mark.case("A-1"))',
        "@pytest.mark.case(*NAMES)\ndef test_x(): ...",
        "@pytest.mark.case()\ndef test_x(): ...",
    ],
)
def test_a_mark_that_proves_nothing_is_refused(source: str) -> None:
    with pytest.raises(AssertionError):
        list(marked(source))


@pytest.mark.parametrize(
    ("proved", "told"),
    [
        ({"A-1": ["here"]}, []),
        ({}, ["A-1: no test proves it"]),
        ({"A-1": ["here"], "A-3": ["there"]}, ["A-3: no such case, at there"]),
        ({"A-1": ["here"], "A-2": ["there"]}, ["A-2: tested at there, take its reason away"]),
    ],
)
def test_what_does_not_fit_is_told(proved: dict[str, list[str]], told: list[str]) -> None:
    assert faults(CASES, proved) == told


def test_a_reason_for_a_case_that_is_not_there_is_refused() -> None:
    with pytest.raises(AssertionError, match="A-9"):
        read('[examples]\nA-1 = "x"\n[asvs]\n[untested]\nA-9 = "no such feature yet"\n')
