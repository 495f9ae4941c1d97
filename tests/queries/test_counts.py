"""A page asks as often at 300 users as at 3."""

import pytest
from flask import Flask

from tests.inspecting import Browser
from tests.make import Make
from tests.queries.recording import recorded
from webapp.database import db

LICENSES = ("/licenses/vcc", "/licenses/vcc?q=per", "/licenses/vcc?type=agent&q=pe&initial=P&group=1",
            "/licenses/enc", "/licenses/ha?initial=%23", "/licenses/accent")  # fmt: skip
USERS = ("/users", "/users?status=all&q=per&group=1", "/users?license=ha/viewer", "/users?status=archived")
PAGES = dict.fromkeys(
    LICENSES, ("", "main", "products", "details", "filters", "users", "more")
) | dict.fromkeys(USERS, ("", "main", "users", "more"))


def counts(browse: Browser) -> dict[tuple[str, str], int]:
    """How many statements each list takes, whole and as each region."""
    found = {}
    for url, regions in PAGES.items():
        browse.client.get(url)  # the first page after a change counts who is in view
        for region in regions:
            headers = {"HX-Request": "true", "HX-Target": f"div#{region}"} if region else {}
            with recorded(db.engine) as statements:
                assert browse.client.get(url, headers=headers).status_code == 200
            found[url, region] = len(statements)
    return found


@pytest.mark.case("LOAD-1")
@pytest.mark.parametrize("role", ["admin", "supervisor"])
def test_a_list_takes_as_many_queries_at_300_users_as_at_3(
    any_app: Flask, make: Make, browse: Browser, role: str
) -> None:
    make.admin("ann")
    make.supervisor("sue", read=("Billing", "Retention"), permissions=("access", "unassigned"))
    with_all = {"groups": ("Billing", "Retention"), "licenses": {"enc": "enabled"}}
    make.users(3, **with_all)
    make.users(3, active=False, groups=("Billing",))
    make.user(license="wallboard", licenses={"ha": "viewer"})
    username = "ann" if role == "admin" else "sue"
    browse.sign_in(username, make.password(username))
    few = counts(browse)
    assert len(browse.get("/licenses/enc").usernames) == 3
    make.users(297, **with_all)
    make.users(297, active=False, groups=("Billing",))
    make.users(297, license="wallboard", licenses={"ha": "viewer"})
    many = counts(browse)
    assert len(browse.get("/licenses/enc").usernames) == 50
    assert min(few.values()) > 0
    assert few["/users", ""] == 2, "who is signed in and what changed last; and the rows"
    assert many == few
