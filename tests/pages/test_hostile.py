"""INPUT-3: hostile text in every field stays text, on every page, region, title, toast, prompt and file.

Each page is read once with harmless words; with hostile ones it may have no element or attribute more.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import quote, urlencode

import pytest
from flask import Flask

from tests.inspecting import Browser
from tests.make import Make
from tests.pages.test_user_form import changes, group, user

HARMLESS = ("Quiet words", "Other words")
HOSTILE = (
    "<script>xss()</script>", '"><xss a=1>', "'><xss a=1>", '" onfocus=xss() autofocus="', "' onfocus=xss() '", "<xss",
    "</title><xss>", "</textarea><xss>", "</script><xss>", "--><xss>", "<!--<xss>", "]]><xss>", "<svg/onload=xss()>",
    "<img src=x onerror=xss()>", "<iframe srcdoc=xss>", "javascript:xss()", "data:text/html,<xss>", "&lt;xss&gt;",
    "&#60;xss&#62;", "%3Cxss%3E", "\\x3cxss\\x3e", "\\u003cxss\\u003e", '"},"xss":"', "\\", "`xss`", "{{7*7}} {%xss%}",
    "${7*7} #{xss}", "%s %n %(xss)s {0.__class__} {xss}", "<hx-partial hx-target=#main>xss</hx-partial>", "＜xss＞",
    "=cmd|'/C xss'!A0", "' OR 1=1 -- xss", "<a hx-get=/xss hx-trigger=load>",
)  # fmt: skip
ADDRESSES = ("href", "src", "action", "formaction", "hx-get", "hx-post", "hx-push-url", "hx-replace-url")


class Parts(HTMLParser):
    """Elements with their attributes, and what is said."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {(tag, name) for name, _ in attrs} | {(tag, "")}
        for name, value in attrs:
            if name in ADDRESSES and value != "true":  # hx-push-url
                assert str(value).startswith(("/", "#", "?", "data:image/svg+xml")), (tag, name, value)

    handle_startendtag = handle_starttag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        self.found.add(("!", decl))


@pytest.fixture
def boss(app: Flask, make: Make, browse: Browser) -> Browser:
    make.contract()
    make.admin("boss")
    make.user("ann", groups=("Billing",))
    for _ in range(30):  # so that the change log has a second page
        make.user()
    browse.sign_in("boss", make.password("boss"))
    browse.get("/users/new")
    return browse


def walk(boss: Browser, words: str, number: int) -> Iterator[tuple[str, str]]:
    """Type these words wherever there is a field, and look wherever they may be shown."""

    def answered(
        name: str, path: str, status: int, region: str = "", form: dict[str, str] | None = None
    ) -> tuple[str, str]:
        headers = {"HX-Request": "true", "HX-Target": f"x#{region}"} if region else {}
        data = {"csrf_token": boss._token, **form} if form is not None else None
        answer = boss.client.open(path, method="GET" if form is None else "POST", headers=headers, data=data)
        assert answer.status_code == status, (name, words, answer.status_code)
        return name, answer.get_data(as_text=True)

    version = str(user().version)
    named = re.sub("[;:]", ",", words)  # what separates groups in files is in no name of one
    group_id = group("Billing" if number == 0 else f"named {number - 1}")
    stale = {"version": "0", "name": words, "sso_external_id": words, "license_vcc": "agent"}
    wrong = dict.fromkeys(
        ("username", "name", "email", "sso_external_id", "agent_id", "license_vcc", "license_ha"), words
    )
    yield answered("wrong", "/users/new", 422, form=wrong)
    yield answered("stale", "/users/ann", 409, form=stale)
    answered("save", "/users/ann", 303, form=stale | {"version": version, "groups": group_id})
    answered("rename", f"/groups/{group_id}", 303, form={"name": named})
    for address in ("/users/ann", "/groups", f"/groups/{group_id}"):
        yield answered(address.replace(group_id, ""), address, 200)
    asked = urlencode({"q": words, "group": group_id})
    yield answered("/licenses/vcc", f"/licenses/vcc?{asked}", 200)
    yield answered("/users", f"/users?{asked}", 200, "users")
    yield answered("plan", f"/users/ann?{urlencode({'plan': '1', 'license_vcc': words})}", 200, "licensing")
    filters = dict.fromkeys(("person", "actor", "action", "day"), words)
    yield answered("filtered", f"/changes?{urlencode(filters)}", 200)
    yield answered("no such user", f"/users/{quote(words, safe='')}", 404)
    yield answered("taken", "/groups", 422, form={"name": named})
    answered("name again", f"/groups/{group_id}", 303, form={"name": f"named {number}"})


def log(boss: Browser) -> Iterator[tuple[str, str]]:
    """What the change log tells of all that: page by page, and of one user."""
    for before in range(changes() + 1, 0, -20):
        yield "changes", boss.client.get("/changes", query_string={"before": before}).get_data(as_text=True)
    yield "history", boss.client.get("/users/ann/history").get_data(as_text=True)
    yield "change", boss.client.get(f"/changes/{changes()}").get_data(as_text=True)


@pytest.mark.case("INPUT-3", "ASVS 1.2.1", "ASVS 1.2.2", "ASVS 1.2.3", "ASVS 1.3.10", "ASVS 1.3.3")
def test_INPUT_3_hostile_words_add_nothing_to_any_page_region_or_file(boss: Browser, app: Flask) -> None:
    known: dict[str, set[tuple[str, str]]] = {}
    for number, words in enumerate(HARMLESS):
        for name, text in walk(boss, words, number):
            known.setdefault(name, set()).update(Parts(text).found)
    of_log = set().union(*(Parts(text).found for _, text in log(boss)))
    for number, words in enumerate(HOSTILE, len(HARMLESS)):
        for name, text in walk(boss, words, number):
            more = Parts(text).found - known[name]
            assert not more, (name, words, more)
            assert "<" not in words or words not in text, (name, words)
        kept = user()
        assert (kept.name, kept.sso_external_id) == (words, words)
        (row,) = csv.DictReader(io.StringIO(boss.client.get("/users.csv?q=ann").get_data(as_text=True)))
        guard = "'" if words[0] in "=+-@'" else ""
        assert row["Name"] == guard + words
    told = list(log(boss))
    for name, text in told:
        assert not Parts(text).found - of_log, name
        assert not [words for words in HOSTILE if "<" in words and words in text], name
    assert "xss" in "".join(text for _, text in told)


@pytest.mark.case("INPUT-3", "ASVS 1.2.1")
def test_INPUT_3_the_same_where_nobody_is_signed_in_and_in_what_a_browser_or_the_settings_say(
    boss: Browser, app: Flask, make: Make
) -> None:
    settings = app.extensions["settings"]
    harmless: set[tuple[str, str]] = set()
    for words in (*HARMLESS, *HOSTILE):
        app.extensions["settings"] = replace(settings, organization=words, help=words)
        stranger = Browser(app)
        stranger.client.environ_base["HTTP_USER_AGENT"] = words.encode("ascii", "replace").decode()
        form = {"csrf_token": stranger.get("/sign-in").one("input[name=csrf_token]")["value"]}
        typed = {**form, "username": words, "password": words, "next": words}
        told = [
            stranger.client.post("/sign-in", data=typed),
            stranger.client.get("/nowhere"),
            boss.client.get("/account"),
        ]
        assert [answer.status_code for answer in told[1:]] == [303, 200]
        found = set().union(*(Parts(answer.get_data(as_text=True)).found for answer in told))
        harmless |= found if words in HARMLESS else set()
        assert found <= harmless, words
