"""The same installation with and without fifty people whom a supervisor can't view: they see no difference.

Everything a supervisor can be shown is fetched: pages, regions, files, histories, forms with their plans, and
messages of refusal. Hidden archived people change nothing at all; hidden active ones change the account's
figures and nothing else (P4). Exact collisions of values that must be unique are the one bit allowed.
"""

import re
from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup
from flask import Flask

from tests.inspecting import Browser
from tests.make import Make
from tests.pages.test_user_form import group
from webapp.licensing.record import Wish

# Where the account's figures stand: cards, products, tiles, the plan, and how many are outside the view.
FIGURES = "#details, #products, .tile-state, .tile-note, .ways, #plan, #save, [data-hidden]"
PERSON = {"name": "New Person", "email": "new@x.example", "license_vcc": "agent"}


@pytest.fixture
def sue(app: Flask, make: Make, browse: Browser) -> Browser:
    """A supervisor with every permission but *view unassigned users*, write on Billing and read on Floor."""
    make.users(12, groups=("Billing",), licenses={"enc": "enabled"})
    make.users(3, "supervisor", groups=("Floor",), licenses={"ha": "viewer"})
    make.user("ann", groups=("Billing", "Secret group"))
    make.user("gone", active=False, groups=("Billing",))
    make.user("hidden.before", groups=("Secret group",))
    permissions = ("access", "create", "edit", "groups")
    make.supervisor("sue", permissions=permissions, write=("Billing",), read=("Floor",), groups=("Billing",))
    browse.sign_in("sue", make.password("sue"))
    return browse


def addresses() -> list[str]:
    lists = [f"/licenses/{product}" for product in ("vcc", "ha", "enc", "accent")] + ["/users"]
    queries = ["", "q=a", "q=per", "q=person", "q=hid", "initial=P", "initial=H", "initial=%23", "type=agent",
               f"group={group('Billing')}", f"group={group('Secret group')}", "status=all", "status=archived&q=g",
               "license=vcc/agent", "license=ha/viewer&status=all"]  # fmt: skip
    forms = ["/users/new", "/users/new?plan=1&license_vcc=agent&license_ha=viewer", "/users/ann", "/users/gone",
             "/users/ann?plan=1&license_vcc=supervisor&license_ha=viewer&permissions=access", "/users/sue"]  # fmt: skip
    changes = ["/changes", "/changes?person=ann", "/changes?actor=operator", "/changes?action=license",
               "/users/ann/history", "/users/gone/history"]  # fmt: skip
    return [
        *(f"{list_}?{query}" for list_ in lists for query in queries), "/users.csv?status=all", "/licenses/vcc.csv",
        *forms, *changes, "/groups", f"/groups/{group('Billing')}", f"/groups/{group('Floor')}",
        "/account", "/users/hidden.before", "/users/hidden.new1", "/nothing",
    ]  # fmt: skip


POSTS: list[tuple[str, dict[str, str]]] = [
    ("/users/new", {"username": "ANN", **PERSON}),  # in view, and taken
    ("/users/new", {"username": "no good", **PERSON}),
    ("/users/new", {"username": "xena", **PERSON, "license_ha": "viewer"}),
    ("/users/new", {"username": "xena", **PERSON}),  # into none of their groups
    ("/users/ann", {"version": "1", **PERSON, "groups": "999"}),
    ("/users/hidden.new1", {"version": "1", **PERSON}),
    ("/users/hidden.before/archive", {"version": "1"}),
    ("/groups", {"name": "floor"}), ("/groups", {"name": "a;b"}),
    ("/users/ann/password-link", {"version": "1"}),
]  # fmt: skip


def everything(browse: Browser, *, figures: bool) -> dict[str, str]:
    """All answers by what was asked; with ``figures`` False without the account's."""
    told = {}
    for address in addresses():
        told[address] = _told(browse, "GET", address, figures)
        region = {"/users": "users", "/licenses": "details"}.get(re.split(r"[/?]", address)[1], "main")
        headers = {"HX-Request": "true", "HX-Target": f"div#{region}"}
        told[f"{address} #{region}"] = _told(browse, "GET", address, figures, headers=headers)
    for path, form in POSTS:
        data = {"csrf_token": browse._token, **form}
        told[f"POST {path} {urlencode(form)}"] = _told(browse, "POST", path, figures, data=data)
    return told


def _told(browse: Browser, method: str, path: str, figures: bool, **how: object) -> str:
    answer = browse.client.open(path, method=method, **how)  # type: ignore[arg-type]
    assert answer.status_code in (200, 403, 404, 422), (path, answer.status_code)
    text = answer.get_data(as_text=True)
    text = re.sub(r"<time [^>]*>[^<]*</time>|(?<=value=\")[\w-]{22}(?=[\":])|[\w.-]{70,}", "", text)
    if not figures and answer.mimetype == "text/html":
        soup = BeautifulSoup(text, "html.parser")
        for element in soup.select(FIGURES):
            element.decompose()
        text = str(soup)
    headers = sorted(
        (k, v) for k, v in answer.headers if k not in ("Content-Length", "Set-Cookie", "Content-Disposition")
    )
    return f"{answer.status_code} {headers}\n{text}"


KINDS = [
    ("agent", {"enc": "enabled"}),
    ("supervisor", {"ha": "viewer"}),
    ("admin", {}),
    ("wallboard", {}),
    ("agent", {}),
]


def hidden(make: Make, *, active: bool) -> None:
    """Fifty more out of sue's view, with all that a user can have; admins among them in her own group."""
    wishes = []
    for n in range(50):
        kind, more = KINDS[n % len(KINDS)]
        groups = ("Billing",) if kind == "admin" else (f"Secret group {n % 7}",) if n % 3 else ()
        wishes.append(
            Wish(
                f"hidden.new{n}", f"Hidden Person {n}", f"h{n}@x.example", licenses={"vcc": kind, **more},
                active=active, groups=groups, contactpad=None if kind == "wallboard" else True,
            )
        )  # fmt: skip
    make._create(wishes, (), None)


@pytest.mark.case("VIEW-2", "ASVS 8.4.1")
@pytest.mark.parametrize("active", [False, True], ids=["archived", "active"])
def test_P4_fifty_hidden_people_make_no_difference_but_to_the_accounts_figures(
    sue: Browser, make: Make, active: bool
) -> None:
    sue.get("/users")
    before = everything(sue, figures=not active)
    assert any("200 " in answer[:4] for answer in before.values())
    hidden(make, active=active)
    after = everything(sue, figures=not active)
    for asked, answer in before.items():
        assert after[asked] == answer, asked
