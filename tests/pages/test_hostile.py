"""INPUT-3: hostile text in every field stays text, on every page, region, title, toast, prompt and file.

Each page is read once with harmless words; with hostile ones it may have no element or attribute more.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from flask import Flask

from tests.inspecting import Browser
from tests.make import Make
from tests.pages.test_user_form import group, user

HARMLESS = ("Quiet words", "Other words")
HOSTILE = (
    "<script>xss()</script>", '"><xss a=1>', "'><xss a=1>", '" onfocus=xss() autofocus="', "' onfocus=xss() '", "<xss",
    "</title><xss>", "</textarea><xss>", "</script><xss>", "--><xss>", "<!--<xss>", "]]><xss>", "<svg/onload=xss()>",
    "<img src=x onerror=xss()>", "<iframe srcdoc=xss>", "javascript:xss()", "data:text/html,<xss>", "&lt;xss&gt;",
    "&#60;xss&#62;", "%3Cxss%3E", "\\x3cxss\\x3e", "\\u003cxss\\u003e", '"},"xss":"', "\\", "`xss`", "{{7*7}} {%xss%}",
    "${7*7} #{xss}", "%s %n %(xss)s {0.__class__} {xss}", "<hx-partial hx-target=#main>xss</hx-partial>", "＜xss＞",
    "=cmd|'/C xss'!A0", "' OR 1=1 -- xss", "<a hx-get=/xss hx-trigger=load>",
)  # fmt: skip


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
            if name in (
                "href",
                "src",
                "action",
                "formaction",
                "hx-get",
                "hx-post",
                "hx-push-url",
                "hx-replace-url",
            ):
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
    stale = {
        "version": "1" if version != "1" else "9",
        "name": words,
        "sso_external_id": words,
        "license_vcc": "agent",
    }
    wrong = dict.fromkeys(
        ("username", "name", "email", "sso_external_id", "agent_id", "license_vcc", "license_ha"), words
    )
    yield answered("wrong", "/users/new", 422, form=wrong)
    yield answered("stale", "/users/ann", 409, form=stale)
    saved = stale | {"version": version, "groups": group("Billing" if number == 0 else f"named {number - 1}")}
    answered("save", "/users/ann", 303, form=saved)
    yield answered("saved", "/users/ann", 200)
    renamed = f"/groups/{saved['groups']}"
    answered("rename", renamed, 303, form={"name": words})
    for region in ("", "main"):
        yield answered(f"groups{region}", "/groups", 200, region)
        yield answered(f"group{region}", renamed, 200, region)
        yield answered(f"user{region}", "/users/ann", 200, region)
        yield answered(f"history{region}", "/users/ann/history", 200, region)
        for path in ("/users", "/licenses/vcc"):
            asked = urlencode({"q": words, "group": saved["groups"]})
            yield answered(f"{path}{region}", f"{path}?{asked}", 200, region.replace("main", "users"))
    yield answered("plan", f"/users/ann?{urlencode({'plan': '1', 'license_vcc': words})}", 200, "licensing")
    yield answered(
        "filtered", f"/changes?{urlencode(dict.fromkeys(('person', 'actor', 'action', 'day'), words))}", 200
    )
    yield answered("changes", "/changes", 200)
    yield answered("no such user", f"/users/{urlencode({'': words})[1:]}", 404)
    yield answered("taken", "/groups", 422, form={"name": words})
    answered("name again", renamed, 303, form={"name": f"named {number}"})


@pytest.mark.case("INPUT-3", "ASVS 1.2.1", "ASVS 1.2.2", "ASVS 1.2.3", "ASVS 1.3.10", "ASVS 1.3.3")
def test_INPUT_3_hostile_words_add_nothing_to_any_page_region_or_file(boss: Browser, app: Flask) -> None:
    known: dict[str, set[tuple[str, str]]] = {}
    for number, words in enumerate(HARMLESS):
        for name, text in walk(boss, words, number):
            known.setdefault(name, set()).update(Parts(text).found)
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
