"""Files in the shape of real ones, made up here: a contract, and users whose figures are known."""

import csv
import io
from collections.abc import Iterable, Mapping

CONTRACT = """\
License,Contracted,Max overage,Starts on
vcc/agent,300,15,2026-01-01
vcc/supervisor,50,0,2026-01-01
vcc/wallboard,10,0,2026-01-01
vcc/admin,25,0,2026-01-01
ha/viewer,30,0,2026-01-01
ha/creator,2,0,2026-03-01
enc/enabled,200,0,2026-01-01
accent/enabled,0,0,2026-01-01
"""

COLUMNS = (
    "Username", "Name", "Email", "SSO External Id", "User Active", "License", "ID", "Physical Location",
    "ContactPad", "WebRTC", "Groups", "Historical Analytics", "Enhanced Noise Cancellation",
    "Accent Conversion", "User Last Login",
)  # fmt: skip

Row = dict[str, str]


def user(username: str, license: str = "Agent", **cells: str) -> Row:
    """One row; ``cells`` by column name in lower case with _ for spaces."""
    plain = {
        "username": username, "name": f"Person {username}", "email": f"{username}@northwind.example",
        "user_active": "TRUE", "license": license,
    }  # fmt: skip
    given = plain | cells
    row = {column: given.pop(column.lower().replace(" ", "_"), "") for column in COLUMNS}
    assert not given, f"no such column: {given}"
    return row


def northwind() -> list[Row]:
    """329 users: 305 active (250 agents, 35 supervisors, 5 wallboards, 15 admins) and 24 archived.

    19 hold Historical Analytics (18 Viewer, 1 Creator), 119 Enhanced Noise Cancellation.
    """
    groups = ("Billing", "Night shift", "Billing; Night shift", "", "Технічна")
    rows = [
        user(f"agent{n}", id=str(4000 + n), webrtc="TRUE" if n % 3 else "FALSE", groups=groups[n % 5],
             physical_location="GB", enhanced_noise_cancellation="Enabled" if n < 110 else "",
             user_last_login="2026-11-03T00:03:00Z")
        for n in range(250)
    ]  # fmt: skip
    rows += [
        user(f"supervisor{n}", "Supervisor", contactpad="TRUE" if n < 9 else "FALSE", groups="Billing",
             enhanced_noise_cancellation="Enabled" if n < 9 else "",
             historical_analytics="Viewer" if n < 10 else "None")
        for n in range(35)
    ]  # fmt: skip
    rows += [user(f"wallboard{n}", "Wallboard") for n in range(5)]
    rows += [
        user(f"admin{n}", "Admin", historical_analytics="Creator" if n == 0 else "Viewer" if n < 9 else "")
        for n in range(15)
    ]
    rows += [
        user(f"gone{n}", user_active="FALSE", enhanced_noise_cancellation="Enabled", groups="Billing")
        for n in range(24)
    ]
    return rows


def as_csv(rows: Iterable[Mapping[str, str]], columns: Iterable[str] = COLUMNS) -> str:
    """The rows as a file's text, with these columns in this order."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(columns), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
