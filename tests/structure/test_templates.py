"""What templates and static files must keep to, so that the Content-Security-Policy can be strict."""

import hashlib
import re
from pathlib import Path

import pytest

from tests.servers import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
VENDOR = ROOT / "static" / "vendor"
FORBIDDEN = {
    r"\|\s*safe\b|\bautoescape\b|\bMarkup\b": "data is escaped, always",
    r"<style\b|\sstyle\s*=": "put it into app.css; widths are attributes of svg",
    r"<script\b(?![^>]*\ssrc=)": "put it into app.js",
    r"\son[a-z]+\s*=": "put the handler into app.js",
    r"\shx-on\b|\shx-on:": "the policy refuses it; put the handler into app.js",
    r"[\"'\s](?:js|javascript):": "the policy refuses to evaluate",
    r"hx-trigger\s*=\s*(?:\"[^\"]*\[|'[^']*\[)": "a filter is evaluated, which the policy refuses",
    r"[\"'(]\s*(?:https?:)?//": "nothing comes from another host",
    r"\{%-?\s*(?:include|import|from)\b": "regions are blocks; components are globals",
}
BAD = [
    "{{ name|safe }}", "{{ name | safe }}", '<p style="width: 3%">', "<style>", "<script>", '<a onclick="x()">',
    '<a hx-on:click="x()">', "<a hx-vals='js:{a: 1}'>", '<a href="javascript:x()">', '<a hx-trigger="click[false]">',
    '<img src="https://cdn.example/x.png">', '<img src="//cdn.example/x.png">', "{% include 'row.html' %}",
]  # fmt: skip


def where(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def without_comments(text: str) -> str:
    return re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("file", TEMPLATES, ids=where)
def test_a_template_holds_no_code_no_style_and_nothing_from_elsewhere(file: Path) -> None:
    text = without_comments(file.read_text("utf-8"))
    found = [(match[0], advice) for wrong, advice in FORBIDDEN.items() if (match := re.search(wrong, text))]
    assert not found


@pytest.mark.parametrize("text", BAD)
def test_each_forbidden_thing_is_found(text: str) -> None:
    assert any(re.search(wrong, text) for wrong in FORBIDDEN)


@pytest.mark.parametrize("file", [p for p in TEMPLATES if p.parent.name != "components"], ids=where)
def test_a_page_is_the_frame_or_extends_it_and_has_the_region_main(file: Path) -> None:
    text = file.read_text("utf-8")
    if file.name in ("base.html", "plain.html"):
        assert '<main id="main"' in text
    else:
        assert text.startswith('{% extends "base.html" %}')
        assert "{% block main %}" in text


def test_a_region_is_an_element_with_the_name_of_the_block_in_it() -> None:
    for file in TEMPLATES:
        text = file.read_text("utf-8")
        regions = set(re.findall(r"{%-? block (\w+) -?%}", text)) - {"main", "title", "more"}
        for region in regions:
            pattern = rf'id="{region}"[^>]*>(?:\s|{{#.*?#}})*{{%-? block {region} -?%}}'
            assert re.search(pattern, text, re.DOTALL), (
                f"{where(file)}: put block {region} first in #{region}"
            )


def test_the_page_sends_its_token_by_an_inherited_header() -> None:
    """Without ``:inherited`` htmx 4 sends no token at all."""
    base = (ROOT / "templates" / "base.html").read_text("utf-8")
    assert """<body hx-headers:inherited='{"X-CSRFToken": "{{ csrf_token() }}"}'""" in base


@pytest.mark.case("ASVS 3.7.1")
def test_vendored_files_are_the_ones_that_were_recorded() -> None:
    text = (VENDOR / "VENDORED.md").read_text("utf-8")
    recorded = dict(re.findall(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|", text, re.MULTILINE))
    there = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in VENDOR.iterdir()
        if file.name != "VENDORED.md"
    }
    assert there == recorded, "record name, version, license and SHA-256 in static/vendor/VENDORED.md"


@pytest.mark.case("ASVS 14.2.3")
def test_static_files_ask_nothing_of_another_host() -> None:
    for file in (ROOT / "static").glob("*.*"):
        text = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|url\(\s*[\"']?//|@import", text), f"{file.name} asks another host"


def test_every_icon_that_is_used_is_drawn_and_every_one_drawn_is_used() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static" / "icons.svg").read_text("utf-8")))
    texts = [file.read_text("utf-8") for file in TEMPLATES]
    used = {name for text in texts for name in re.findall(r'ui\.(?:icon|empty)\("([^"]+)"', text)}
    assert used == drawn
