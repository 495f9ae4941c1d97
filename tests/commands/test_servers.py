"""``demo`` and ``serve`` as whole programs: what they show once somebody signs in."""

import re
from urllib.parse import urlsplit

from tests.commands.files import COLUMNS, CONTRACT, as_csv, user
from tests.commands.visitor import Visitor, figures
from tests.servers import ROOT, Desk, running
from webapp.settings import is_loopback

FIFTH = """
[[product]]
key = "qa"
name = "Quality Assurance"

[[product.type]]
key = "reviewer"
name = "Reviewer"
allows = "Listens to recordings and scores them."
bases = ["vcc/supervisor", "vcc/admin"]

[[product.type]]
key = "coach"
name = "Coach"
allows = "Joins a call and whispers."
needs_contactpad = true
"""


def test_demo_with_more_users_contracts_and_assigns_that_many_agents_more(empty: Desk) -> None:
    with running(empty, "demo", "--users", "2000") as server:
        page = Visitor(server.url).sign_in(*server.sign_ins["admin"])
    assert figures(page, "vcc/agent") == (2300, 2250, 50)
    assert figures(page, "vcc/supervisor") == (50, 35, 15)
    heading = page.select_one("[data-count]")
    assert heading is not None
    assert heading["data-count"] == "1000+"


def test_a_demo_for_all_addresses_says_one_that_another_machine_can_open(empty: Desk) -> None:
    with running(empty, "demo", "--host", "0.0.0.0") as server:
        (url,) = re.findall(r"^License Desk is at (http://.*)/$", server.printed, re.MULTILINE)
        assert not is_loopback(urlsplit(url).hostname or "")
        assert "Products" in Visitor(url).sign_in(*server.sign_ins["admin"]).get_text()


def test_serving_beyond_this_machine_under_names_of_this_machine_alone_is_warned_of(desk: Desk) -> None:
    with running(desk, "serve", "--host", "0.0.0.0", "--workers", "1", ALLOW_INSECURE_HTTP="1") as server:
        warned = server.printed
    assert "LICENSE_DESK_TRUSTED_HOSTS names this machine alone" in warned
    hosts = "127.0.0.1,desk.example"
    with running(
        desk, "serve", "--host", "0.0.0.0", "--workers", "1", ALLOW_INSECURE_HTTP="1", TRUSTED_HOSTS=hosts
    ) as server:
        lines = [line for line in server.printed.splitlines() if " request " not in line]
    assert lines[-2:] == [
        f"Database: sqlite:///{desk.database}",
        f"License Desk is at http://desk.example:{server.port}/",
    ]
    assert [line for line in lines[:-2] if not line.startswith("SQLite ")] == []


def test_a_fifth_product_needs_nothing_but_a_catalog_file(empty: Desk) -> None:
    """Contract file, import and page take it from the catalog, its eligibility too (E1, E2)."""
    shipped = (ROOT / "webapp" / "catalog.toml").read_text("utf-8")
    catalog = str(empty.write("catalog.toml", shipped + FIFTH))
    password = "a long enough password"
    empty.must("init", "--username", "ada", "--name", "Ada", "--email", "ada@desk.example",
               "--password-stdin", stdin=password, CATALOG=catalog)  # fmt: skip
    lines = "qa/reviewer,5,0,2026-01-01\nqa/coach,3,1,2026-01-01\n"
    empty.must("contract", "load", empty.write("contract.csv", CONTRACT + lines), CATALOG=catalog)

    def file(name: str, people: list[dict[str, str]]) -> str:
        return str(empty.write(name, as_csv(people, (*COLUMNS, "Quality Assurance"))))

    qa = "Quality Assurance"
    bad = file("bad.csv", [user("ann") | {qa: "Reviewer"}, user("wally", "Wallboard") | {qa: "Coach"}])
    ran = empty.run("users", "import", bad, CATALOG=catalog)
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "line 2, Quality Assurance (E1): An Agent can't hold Quality Assurance Reviewer. "
        "It needs Supervisor or Admin.",
        "line 3, Quality Assurance (E2): Quality Assurance Coach needs ContactPad, and it is off. "
        "A Wallboard can't have ContactPad: leave it out, or choose another base license.",
        "2 problems. Nothing was changed.",
    ]
    good = file("good.csv", [user("ann") | {qa: "Coach"}, user("sue", "Supervisor") | {qa: "reviewer"},
                             user("bob") | {qa: "None"}])  # fmt: skip
    out = empty.must("users", "import", good, CATALOG=catalog)
    assert "Ignored columns: Physical Location\n" in out
    assert "qa/reviewer: 1 taken, 1 of 5 assigned, 4 available" in out

    with running(empty, "serve", CATALOG=catalog) as server:
        visitor = Visitor(server.url)
        start = visitor.sign_in("ada", password)
        page = visitor.get("/licenses/qa")
    product = start.select_one('[data-product="qa"]')
    assert product is not None
    assert product["data-users"] == "2"
    assert "Quality Assurance" in product.get_text()
    assert figures(page, "qa/reviewer") == (5, 1, 4)
    assert figures(page, "qa/coach") == (3, 1, 2)
    assert [row["data-username"] for row in page.select("[data-username]")] == ["ann", "sue"]
