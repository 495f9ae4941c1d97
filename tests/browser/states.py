"""An installation in odd states: full, over, without limit, archived, many groups, names as long as they may be.

Filled by the real commands alone, so that whatever they accept the pages must bear.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.commands.files import COLUMNS, as_csv, user
from tests.servers import ROOT, Desk, Server, running

PASSWORD = "a long enough password"
LONG = "Extraordinarily long but entirely permitted words that go on until the very last of the hundred, yes"
UNBROKEN = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
ARABIC = "محمد بن عبد الله الأنصاري"
EMOJI = "👩🏽‍🚀 Zoë 🦄 O’Néill"

SETTINGS = {
    "ORGANIZATION": LONG,
    "HELP": "Ask the license team, extension 4711, or write to licenses@northwind.example.",
}

_FIFTH = f"""
[[product]]
key = "long"
name = "{LONG[:95]}"

[[product.type]]
key = "first"
name = "{UNBROKEN[:100]}"
allows = "{f"{LONG} {LONG}"[:200]}"

[[product.type]]
key = "second"
name = "{ARABIC}"
allows = "{ARABIC}"
"""

_HEADER = "License,Contracted,Max overage,Starts on\n"
_CONTRACT = """\
vcc/agent,20,0,2026-01-01
vcc/supervisor,3,0,2026-01-01
vcc/wallboard,2,,2026-01-01
vcc/admin,2,5,2026-01-01
ha/viewer,5,,2026-01-01
ha/creator,2,0,2026-01-01
enc/enabled,1,3,2026-01-01
accent/enabled,5,0,2026-01-01
long/first,1000000,0,2026-01-01
long/second,3,0,2026-01-01
"""


@contextmanager
def serving(desk: Desk) -> Iterator[Server]:
    """The real server over it, until the block ends."""
    settings = fill(desk)
    with running(desk, "serve", **settings) as server:
        server.sign_ins["admin"] = ("ada", PASSWORD)
        yield server


def fill(desk: Desk) -> dict[str, str]:
    """Fill a new installation; the settings to serve it with. ``ada`` signs in with PASSWORD."""
    shipped = (ROOT / "webapp" / "catalog.toml").read_text("utf-8")
    settings = SETTINGS | {"CATALOG": str(desk.write("catalog.toml", shipped + _FIFTH))}
    desk.must("init", "--username", "ada", "--name", ARABIC, "--email", "ada@desk.example",
              "--password-stdin", stdin=PASSWORD, **settings)  # fmt: skip
    desk.must("contract", "load", desk.write("contract.csv", _HEADER + _CONTRACT), **settings)
    users = desk.write("users.csv", as_csv(_people(), (*COLUMNS, LONG[:95])))
    desk.must("users", "import", users, "--allow-overage", **settings)
    shrunk = desk.write("shrunk.csv", f"{_HEADER}vcc/agent,10,5,2026-01-01\n")
    desk.must("contract", "load", shrunk, **settings)  # S6: nobody loses a license by it
    return settings


def _people() -> list[dict[str, str]]:
    many = "; ".join((LONG[:100], UNBROKEN[:100], ARABIC, "Billing", "Night shift"))
    long = LONG[:95]
    people = [
        user("a" * 100, name=UNBROKEN[:100], groups=many, enhanced_noise_cancellation="Enabled"),
        user("long.name", name=LONG, groups=UNBROKEN[:100], enhanced_noise_cancellation="Enabled"),
        user("arabic", name=ARABIC, groups=ARABIC) | {long: UNBROKEN[:100]},
        user("emoji", name=EMOJI, groups="🦄") | {long: ARABIC},
        user("markup", name="<b>Bobby</b> & \"Tables\"", groups="<script>alert(1)</script>"),
    ]  # fmt: skip
    people += [user(f"agent{n}", groups=f"Team {n}" if n < 7 else "") for n in range(13)]
    people += [
        user(f"super{n}", "Supervisor", historical_analytics="Viewer" if n < 1 else "") for n in range(3)
    ]
    people += [user(f"wall{n}", "Wallboard") for n in range(3)]
    people += [user(f"gone{n}", user_active="FALSE", groups="Billing") for n in range(2)]
    people += [user("gone.long", "Supervisor", user_active="FALSE", name=LONG, groups=many)]
    return [*people, user("second.admin", "Admin")]
