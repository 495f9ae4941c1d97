"""How words are written, and which must not be: American spelling, and no product in the code."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.servers import ROOT
from webapp.words import Role

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
OWN_STATIC = sorted((ROOT / "static").glob("app.*"))
CODE = sorted((ROOT / "webapp").rglob("*.py"))
PROSE = [
    *CODE, *TEMPLATES, *OWN_STATIC, ROOT / "README.md", ROOT / "pyproject.toml", ROOT / "webapp" / "catalog.toml",
    *sorted((ROOT / "migrations").rglob("*.py")), *sorted((ROOT / "tests").rglob("*.py")),
]  # fmt: skip
# A letter in brackets, so that this file passes too.
BRITISH = re.compile(
    r"licen[c]e|\b[c]entre|[c]olour|[c]atalogue|[b]ehaviour|[o]rgani[s]ation|[a]uthori[s]e|[c]ancelled|(?<!aria-)[l]abelled",
    re.IGNORECASE,
)

PRODUCTS = tomllib.loads((ROOT / "webapp" / "catalog.toml").read_text("utf-8"))["product"]
PRODUCT_KEYS = [product["key"] for product in PRODUCTS]
# A type's key is also an English word; as a value of its own it stands in quotes. Roles are the app's own words.
TYPE_KEYS = sorted({kind["key"] for product in PRODUCTS for kind in product["type"]} - set(Role))
NAMES = sorted({product["name"] for product in PRODUCTS})


def where(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def either(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, words))


NAMING = re.compile(
    rf"(?<![\w-])(?:{either(PRODUCT_KEYS)})(?![\w-])"  # vcc, "vcc", vcc/agent
    rf"|license_(?:{either(PRODUCT_KEYS)})\b"
    rf"|(?P<quote>[\"'])(?:{either(TYPE_KEYS)})(?P=quote)"
    rf"|\b(?:{either(NAMES)})\b"
)


@pytest.mark.parametrize("file", PROSE, ids=where)
def test_words_are_spelled_the_american_way(file: Path) -> None:
    found = BRITISH.findall(file.read_text("utf-8"))
    assert not found, f"{found}: DESIGN asks for license, center, color, catalog …"


@pytest.mark.parametrize("file", [*CODE, *TEMPLATES, *OWN_STATIC], ids=where)
def test_no_product_is_named_outside_the_catalog_file(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines()
    found = [f"{number}: {line.strip()}" for number, line in enumerate(lines, 1) if NAMING.search(line)]
    assert not found, "ask the catalog for it (its roles, its rules): a product is data"


@pytest.mark.parametrize(
    "line",
    ['if product == "vcc":', "refs['vcc/agent']", "form.license_vcc", "kind.key == 'wallboard'", '"viewer"',
     "Historical Analytics", 'data-x="enc"', "ha/viewer", "Accent Conversion needs", "{% if key == 'accent' %}"],
)  # fmt: skip
def test_each_way_to_name_a_product_is_found(line: str) -> None:
    assert NAMING.search(line)


@pytest.mark.parametrize(
    "line", ["accent-color: red", "var(--accent)", "the user agent", '"admin"', "that has"]
)
def test_what_only_sounds_like_a_product_is_left_alone(line: str) -> None:
    assert not NAMING.search(line)
