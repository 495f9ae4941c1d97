"""What a finger and an eye need: targets, text, contrast, rows in sight, no sideways scrolling."""

from collections.abc import Iterator
from itertools import cycle

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import looks, states
from tests.browser.conftest import Visit
from tests.browser.test_licenses import card, heading, product
from tests.browser.test_trouble import lose_network
from tests.commands.files import as_csv, user
from tests.servers import Desk, Server, lay_out, running

pytestmark = pytest.mark.xdist_group("looks")

SIZES = [(1024, 768), (768, 1024), (1180, 820), (820, 1180)]
PAGES = {
    "VCC": ("/licenses", "admin"),
    "a product of two types": ("/licenses/ha", "admin"),
    "a product of one type": ("/licenses/enc", "admin"),
    "not purchased": ("/licenses/accent", "admin"),
    "filtered": ("/licenses/vcc?type=agent&q=smith", "admin"),
    "nobody found": ("/licenses/vcc?q=zzzz", "admin"),
    "supervisor": ("/licenses", "supervisor"),
    "users": ("/users", "admin"),
    "nobody archived": ("/users?status=archived", "admin"),
    "a supervisor's page": ("/users/{supervisor}", "admin"),
    "changes": ("/changes", "admin"),
    "a change": ("/changes/2", "admin"),
    "a history": ("/users/{supervisor}/history", "admin"),
    "an account": ("/account", "supervisor"),
    "sign-ins": ("/sign-ins", "admin"),
    "another's sign-ins": ("/users/{supervisor}/sign-ins", "admin"),
    "sign-in": ("/sign-in", ""),
    "not there": ("/licenses/nothing", "admin"),
    "anonymous and not there": ("/nothing", ""),
}
ODD = [
    *(f"/licenses/{key}" for key in ("vcc", "ha", "enc", "accent", "long")),
    "/licenses/vcc?q=zzzz", "/licenses/vcc?q=gone0", "/users?status=archived", "/users/gone0",
    f"/users/{'a' * 100}", "/changes", f"/users/{'a' * 100}/history",
    "/users/new?plan=1&license_vcc=wallboard", "/users/new?plan=1&license_vcc=agent&license_long=first",
]  # fmt: skip


def opened(visit: Visit, server: Server, name: str) -> Page:
    """One of PAGES; that the browser logs a missing page is meant."""
    path, role = PAGES[name]
    path = path.format(supervisor=server.sign_ins["supervisor"][0])
    if path == "/licenses/nothing":
        page = visit(server, "/licenses", role)
        visit.expect("the server responded with a status of 404")
        page.goto(path)
        return page
    return visit(server, path, role)


def panel(page: Page, opener: str) -> Page:
    """The same page with a menu or picker open."""
    page.locator(f"{opener} > summary").tap()
    expect(page.locator(f"{opener}[open]")).to_be_visible()
    return page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_and_tapped_and_never_scrolls_sideways(
    visit: Visit, demo: Server, name: str
) -> None:
    assert looks.faults(opened(visit, demo, name)) == []


@pytest.mark.parametrize("path", ODD, ids=lambda path: path[:40])
def test_a_page_can_be_read_and_tapped_in_odd_states(visit: Visit, odd: Server, path: str) -> None:
    assert looks.faults(visit(odd, path, "admin")) == []


def test_a_sign_in_error_can_be_read_and_tapped(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/sign-in")
    visit.expect("the server responded with a status of 422")
    page.get_by_label("Username").fill("nobody")
    page.get_by_label("Password", exact=True).fill("not the right password")
    page.get_by_role("button", name="Sign in", exact=True).tap()
    expect(page.locator('[data-error="form"]')).to_be_visible()
    assert looks.faults(page) == []


def test_the_letters_the_groups_the_menu_and_a_message_can_be_read_and_tapped(
    visit: Visit, demo: Server
) -> None:
    page = visit(demo, "/licenses/ha?type=creator", "admin")
    assert looks.faults(panel(page, "#initials")) == []
    assert looks.faults(panel(page, "#groups")) == []
    lose_network(page, visit)
    product(page, "vcc").tap()
    expect(page.get_by_role("button", name="Close")).to_be_visible()
    assert looks.small_targets(page) == []
    assert looks.close_targets(page) == []
    assert looks.faults(panel(page, ".menu")) == []


def test_the_licenses_and_the_sheet_of_many_groups_can_be_read_and_tapped(visit: Visit, odd: Server) -> None:
    page = visit(odd, "/users?q=arabic", "admin")
    assert looks.faults(panel(page, "#licenses")) == []
    assert looks.faults(panel(page, "#groups")) == []
    sheet = page.locator("#groups > fieldset")
    expect(sheet.get_by_role("radio")).to_have_count(15)
    expect(sheet).to_be_in_viewport(ratio=1)
    page.locator("h1").tap()  # beside it
    expect(sheet).to_be_hidden()


@pytest.mark.parametrize("path", ["/sign-in", "/nothing"])
def test_a_long_organization_and_help_do_not_scroll_sideways(visit: Visit, odd: Server, path: str) -> None:
    page = visit(odd, path)
    expect(page.get_by_text("extension 4711")).to_be_visible()
    assert looks.misfits(page) == []


def rows_on_arrival(page: Page) -> dict[str, int]:
    in_sight = {}
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        in_sight[f"{width} × {height}"] = looks.rows_in_sight(page)
    return in_sight


def choose(page: Page, choice: str) -> None:
    """Tap it, opening what it is in, and wait for the new list to come up to the top of the window."""
    page.evaluate("scrollTo(0, 0)")
    page.locator(".rows").evaluate("rows => { rows.dataset.old = 'yes' }")
    opener = page.locator(f"details:has({choice}) > summary")
    if opener.count():
        opener.tap()
    page.locator(f"label:has({choice})").tap()
    expect(page.locator("[data-old]")).to_have_count(0)
    page.wait_for_function("document.querySelector('.list').getBoundingClientRect().top < 1")


def rows_after_filters(page: Page, license: str, letter: str = "") -> dict[str, int]:
    """The fewest rows in sight in each size after a license and a letter were tapped, or all of them again."""
    in_sight = {}
    chosen = [license, letter] if letter else [license]
    taken_off = [choice.split("-")[0] + "-all" for choice in chosen]
    for (width, height), choices in zip(SIZES, cycle([chosen, taken_off]), strict=False):
        page.set_viewport_size({"width": width, "height": height})
        seen = []
        for choice in choices:
            choose(page, choice)
            seen.append(looks.rows_in_sight(page))
        in_sight[f"{width} × {height}"] = min(seen)
    return in_sight


LISTS = [
    ("/licenses", "admin", "#type-agent"),
    ("/licenses", "supervisor", "#type-agent"),
    ("/users", "admin", "#license-vcc-agent"),
    ("/users", "supervisor", "#license-vcc-agent"),
]


@pytest.mark.parametrize(("path", "role", "license"), LISTS)
def test_three_rows_are_in_sight_on_arrival_and_eight_after_a_filter(
    visit: Visit, demo: Server, path: str, role: str, license: str
) -> None:
    page = visit(demo, path, role)
    arrival = rows_on_arrival(page)
    filtered = rows_after_filters(page, license, "#initial-A" if role == "admin" else "")
    assert {size: rows for size, rows in arrival.items() if rows < 3} == {}
    assert {size: rows for size, rows in filtered.items() if rows < 8} == {}


def test_with_two_pools_over_three_rows_have_room_on_arrival_and_eight_are_in_sight_after_a_filter(
    visit: Visit, odd: Server
) -> None:
    page = visit(odd, "/licenses", "admin")
    expect(page.locator(".totals-over")).to_have_count(2)
    page.locator('[data-product="long"] strong').evaluate(
        "name => { name.textContent = 'The fifth product' }"
    )
    room = {}
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        room[f"{width} × {height}"] = looks.room_for_rows(page)
    filtered = rows_after_filters(page, "#type-agent", "#initial-P")
    assert {size: rows for size, rows in room.items() if rows < 3} == {}
    assert {size: rows for size, rows in filtered.items() if rows < 8} == {}


ONE_LINE = 50  # pixels, of a card


def tallest_card(page: Page) -> int:
    heights = page.locator(".type").evaluate_all("all => all.map((it) => it.offsetHeight)")
    return max(int(height) for height in heights)


def test_a_card_brings_up_the_list_as_its_chip_does_and_stays_one_line_where_all_of_it_fits(
    visit: Visit, demo: Server
) -> None:
    page = visit(demo, "/licenses", "admin")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.goto("/licenses")
        card(page, "vcc/agent").tap()
        expect(card(page, "vcc/agent")).to_have_attribute("aria-current", "true")
        page.wait_for_function("() => document.querySelector('.list').getBoundingClientRect().top < 1")
        assert looks.rows_in_sight(page) >= 8
        assert tallest_card(page) <= ONE_LINE


def test_on_a_desk_three_rows_are_in_sight_on_arrival(visit: Visit, demo: Server) -> None:
    desk = {"viewport": {"width": 1280, "height": 800}, "has_touch": False, "is_mobile": False}
    assert looks.rows_in_sight(visit(demo, "/licenses", "admin", **desk)) >= 3
    wide = visit(demo, "/licenses", "supervisor", **desk | {"viewport": {"width": 1440, "height": 1100}})
    search, group = wide.locator("#q").bounding_box(), wide.locator("#groups > summary").bounding_box()
    assert search
    assert group
    assert search["y"] == group["y"]


def test_the_license_chosen_on_the_list_of_everyone_is_read_to_its_end(visit: Visit, demo: Server) -> None:
    page = visit(demo, "/users?license=ha/creator", "admin")
    chosen = page.locator("#licenses .picker-chosen")
    expect(chosen).to_have_text("Historical Analytics Creator")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert chosen.evaluate("it => it.scrollWidth <= it.clientWidth && it.scrollHeight <= it.clientHeight")


TIGHT = {
    "over": {
        "vcc/agent": ("50,20", "10 over, at extra charge · 10 more possible"),
        "vcc/supervisor": ("50,15", "10 over, at extra charge · 5 more possible"),
        "vcc/wallboard": ("10,2", "2 over, at extra charge · no new seats"),
        "vcc/admin": ("10,0", "3 over the contract · no new seats"),
    },
    "full": {
        "vcc/agent": ("60,15", "Full · 15 more at extra charge"),
        "vcc/supervisor": ("60,15", "Full · 15 more at extra charge"),
        "vcc/wallboard": ("12,0", "Full"),
        "vcc/admin": ("13,5", "Full · 5 more at extra charge"),
    },
    "no cap": {
        "vcc/agent": ("50,", "10 over, at extra charge · no upper limit"),
        "vcc/supervisor": ("50,", "10 over, at extra charge · no upper limit"),
        "vcc/wallboard": ("12,", "0 available · No upper limit · extra charge above 12"),
        "vcc/admin": ("50,", "37 available · No upper limit · extra charge above 50"),
    },
}


@pytest.fixture(scope="module")
def tight(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Server]]:
    """As many users as there are in tests of TIGHT, and no contract yet."""
    desk = Desk(lay_out(tmp_path_factory.mktemp("tight-site")), tmp_path_factory.mktemp("tight"))
    desk.init("ada", states.PASSWORD)
    plenty = "".join(f"{ref},100,0,2026-01-01\n" for ref in TIGHT["over"])
    desk.must(
        "contract", "load", desk.write("plenty.csv", "License,Contracted,Max overage,Starts on\n" + plenty)
    )
    people = [
        user(f"{kind}{n}".lower(), kind)
        for kind, count in (("Agent", 60), ("Supervisor", 60), ("Wallboard", 12), ("Admin", 12))
        for n in range(count)
    ]
    desk.must("users", "import", desk.write("users.csv", as_csv(people)))
    with running(desk, "serve") as server:
        server.sign_ins["admin"] = ("ada", states.PASSWORD)
        yield desk, server


@pytest.mark.parametrize("state", TIGHT)
def test_S2_S6_on_tablets_a_card_is_one_line_in_every_state_and_the_chosen_one_says_it_all(
    visit: Visit, tight: tuple[Desk, Server], state: str
) -> None:
    desk, server = tight
    lines = "".join(f"{ref},{line},2026-01-01\n" for ref, (line, _) in TIGHT[state].items())
    desk.must(
        "contract", "load", desk.write("contract.csv", "License,Contracted,Max overage,Starts on\n" + lines)
    )
    page = visit(server, "/licenses", "admin")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert looks.rows_in_sight(page) >= 3
        assert tallest_card(page) <= ONE_LINE
        assert page.locator(".totals").evaluate("all => all.offsetHeight") <= 25
        assert cut_off(page, ".type, .type-line > *") == []
    filtered = rows_after_filters(page, "#type-supervisor")
    assert {size: rows for size, rows in filtered.items() if rows < 8} == {}
    for ref, (_, words) in TIGHT[state].items():
        card(page, ref).tap()
        expect(card(page, ref)).to_have_attribute("aria-current", "true")
        expect(card(page, ref).locator(".type-state")).to_have_text(words, use_inner_text=True)
        hidden = (
            card(page, ref)
            .locator(".type-aside")
            .evaluate_all("all => all.filter((it) => it.offsetWidth < 2).length")
        )
        assert hidden == 0


_CUT_OFF = """all => all.filter((it) => {
  const box = it.getBoundingClientRect(), words = document.createRange();
  const texts = [...it.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const out = texts.some((text) => {
    words.selectNodeContents(text);
    const { left, right } = words.getBoundingClientRect();
    return left < box.left - 0.01 || right > box.right + 0.01;
  });
  return out || it.scrollWidth > it.clientWidth;
}).map((it) => it.textContent)"""


def cut_off(page: Page, selector: str) -> list[str]:
    """What of these is not seen to its end: a part of a pixel is enough for an ellipsis."""
    return [str(text) for text in page.locator(selector).evaluate_all(_CUT_OFF)]


def test_on_tablets_a_long_name_gives_way_to_the_figures_of_its_card(visit: Visit, odd: Server) -> None:
    page = visit(odd, "/licenses/long", "admin")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert cut_off(page, ".type, .type-figures, .type-state") == []
        assert states.UNBROKEN[:100] in cut_off(page, ".type-name span")


def test_S2_S6_each_card_says_its_state_in_words(visit: Visit, odd: Server) -> None:
    page = visit(odd, "/licenses", "admin")
    for ref, words in {
        "vcc/agent": "8 over the contract · no new seats",
        "vcc/supervisor": "Full",
        "vcc/wallboard": "1 over, at extra charge · no upper limit",
        "vcc/admin": "Full · 5 more at extra charge",
    }.items():
        expect(card(page, ref).locator(".type-state")).to_have_text(words)
    expect(page.locator(".totals-over")).to_have_text(["Agent8 over", "Wallboard1 over"])
    expect(page.locator(".totals")).to_contain_text("0")
    product(page, "ha").tap()
    expect(card(page, "ha/viewer").locator(".type-state")).to_have_text(
        "4 available · No upper limit · extra charge above 5"
    )
    expect(product(page, "ha")).to_contain_text("1 user")
    product(page, "enc").tap()
    expect(card(page, "enc/enabled").locator(".type-state")).to_have_text(
        "1 over, at extra charge · 2 more possible"
    )
    product(page, "accent").tap()
    expect(page.get_by_text("Nobody holds Accent Conversion")).to_be_visible()
    heading(page, 0)


@pytest.mark.case("INPUT-3")
def test_names_of_any_script_and_length_are_shown_as_they_are(visit: Visit, odd: Server) -> None:
    page = visit(odd, "/licenses", "admin")
    for name in (states.ARABIC, states.EMOJI, states.LONG, states.UNBROKEN[:100], '<b>Bobby</b> & "Tables"'):
        expect(page.locator(".row-link", has_text=name).first).to_be_visible()
    arabic = page.locator('[data-username="arabic"] .row-link')
    assert arabic.evaluate("name => getComputedStyle(name).direction") == "rtl"
    expect(page.locator('[data-username="markup"] .rows-groups')).to_have_text("<script>alert(1)</script>")
