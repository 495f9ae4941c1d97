"""``users import``: all of a file or nothing, and every fault with line, field, rule and way out."""

import pytest

from tests.commands.database import dump, usernames
from tests.commands.files import COLUMNS, as_csv, northwind, user
from tests.commands.shell import shell
from tests.servers import Desk, Ran


def contract(desk: Desk, license: str, contracted: int, overage: str) -> None:
    text = f"License,Contracted,Max overage,Starts on\n{license},{contracted},{overage},2026-01-01\n"
    desk.must("contract", "load", desk.write("line.csv", text))


def refused(desk: Desk, content: str | bytes, *options: str) -> Ran:
    """Import a file that must be refused: exit 1, no traceback, and nothing changed at all."""
    before = dump(desk)
    ran = desk.run("users", "import", desk.write("refused.csv", content), *options)
    assert ran.code == 1, ran.all
    assert "Traceback" not in ran.all
    assert ran.err.splitlines()[-1].endswith("Nothing was changed.")
    assert dump(desk) == before
    return ran


def test_s1_the_figures_after_an_import_count_active_users_only(staffed: Desk) -> None:
    report = (staffed.folder / "report.txt").read_text("utf-8")
    assert "Created 305 active and 24 archived users." in report
    assert "Created groups: Billing, Night shift, Технічна" in report
    assert "Ignored columns: Physical Location" in report
    assert "vcc/agent: 250 taken, 250 of 300 assigned, 50 available" in report
    figures = staffed.must("contract", "show").split("\n\n")[0].splitlines()[1:]
    assert [line.split()[:4] for line in figures] == [
        ["vcc/agent", "300", "250", "50"],
        ["vcc/supervisor", "50", "35", "15"],
        ["vcc/wallboard", "10", "5", "5"],
        ["vcc/admin", "25", "16", "9"],  # 15 of the file and the first one
        ["ha/viewer", "30", "18", "12"],
        ["ha/creator", "2", "1", "1"],
        ["enc/enabled", "200", "119", "81"],
        ["accent/enabled", "0", "0", "0"],
    ]
    assert len(usernames(staffed)) == 330


def test_s7_recount_agrees_after_an_import(staffed: Desk) -> None:
    assert staffed.must("recount") == "Every figure agrees with the holdings.\n"


@pytest.mark.case("SEAT-2", "ASVS 2.3.3")
def test_seven_faults_refuse_the_whole_file_and_each_names_line_field_rule_and_way_out(desk: Desk) -> None:
    rows = northwind()
    rows[9] |= {"Historical Analytics": "Viewer"}  # line 11, an agent
    rows[19] |= {"Username": "AGENT30"}  # line 21; agent30 is on line 32
    rows[39] |= {"License": "Manager"}
    rows[49] |= {"Email": "agent49(at)northwind"}
    rows[59] |= {"Username": "agent fifty"}
    rows[69] |= {"Name": ""}
    rows[260] |= {"Enhanced Noise Cancellation": "Enabled"}  # a supervisor without ContactPad
    ran = refused(desk, as_csv(rows))
    twice = "stands more than once in this file, on lines 21, 32. Keep one of them; usernames are unique "
    assert ran.err.splitlines() == [
        "line 11, Historical Analytics (E1): An Agent can't hold Historical Analytics Viewer. "
        "It needs Supervisor, Wallboard or Admin.",
        f"line 21, Username (user record): “AGENT30” {twice}ignoring case.",
        f"line 32, Username (user record): “agent30” {twice}ignoring case.",
        "line 41, License (V1): There is no Vonage Contact Center license “Manager”. "
        "Choose one of Agent, Supervisor, Wallboard or Admin.",
        "line 51, Email (user record): “agent49(at)northwind” is not an email address. "
        "Enter one, such as name@company.example.",
        "line 61, Username (user record): “agent fifty” has a space; a username can't. Use agent.fifty.",
        "line 71, Name (user record): The name is missing. Enter 1 to 100 characters.",
        "line 262, Enhanced Noise Cancellation (E2): Enhanced Noise Cancellation needs ContactPad, "
        "and it is off. Turn ContactPad on, or leave it out.",
        "8 problems. Nothing was changed.",
    ]


@pytest.mark.case("ASVS 2.3.2")
def test_s2_one_agent_too_many_is_refused_with_the_count(desk: Desk) -> None:
    contract(desk, "vcc/agent", 249, "0")
    ran = refused(desk, as_csv(northwind()), "--allow-overage")
    assert ran.err.splitlines()[0] == (
        "License (S2): 250 Agent licenses wanted, 249 left: 249 contracted, 0 assigned. "
        "Archive users or move them to another license, or ask for more in the contract."
    )


def test_s2_overage_is_refused_until_it_is_allowed(desk: Desk) -> None:
    contract(desk, "vcc/agent", 249, "1")
    ran = refused(desk, as_csv(northwind()))
    assert ran.err.splitlines()[0] == (
        "License (S2): This makes 250 of 249 Agent licenses; extra charges apply. "
        "Run it again with --allow-overage to accept them."
    )
    assert "Saving" not in ran.all
    out = desk.must("users", "import", desk.folder / "refused.csv", "--allow-overage")
    assert "vcc/agent: 250 taken, 250 of 249 assigned, 1 over, at extra charge" in out
    assert "1 over, at extra charge · no new seats" in desk.must("contract", "show")


def test_e3_what_was_not_purchased_cannot_be_given(desk: Desk) -> None:
    ran = refused(desk, as_csv([user("ann", webrtc="TRUE", accent_conversion="Enabled")]))
    assert ran.err.splitlines()[0] == (
        "line 2, Accent Conversion (E3): Accent Conversion was not purchased. "
        "Ask for a contract line, or leave it out."
    )


def test_a_username_that_exists_is_reported_as_not_yet_supported(desk: Desk) -> None:
    ran = refused(desk, as_csv([user("ann"), user("ADA", "Admin")]))
    assert ran.err.splitlines() == [
        "line 3, Username (user record): “ADA” exists already, and changing users by a file "
        "is not yet supported. Take the row out of the file.",
        "1 problem. Nothing was changed.",
    ]


def test_the_same_file_again_is_answered_in_one_sentence(staffed: Desk) -> None:
    ran = refused(staffed, (staffed.folder / "users.csv").read_bytes())
    assert ran.err.splitlines() == [
        "file (user record): All 329 users of this file exist already, and changing users by a file "
        "is not yet supported. Put only new users into the file.",
        "1 problem. Nothing was changed.",
    ]


def test_of_very_many_faults_the_first_200_are_told_and_the_rest_counted(desk: Desk) -> None:
    ran = refused(desk, as_csv([user(f"agent{n}", email="nowhere") for n in range(251)]))
    lines = ran.err.splitlines()
    assert lines[199].startswith("line 201, Email")
    assert lines[200:] == ["… and 51 more problems.", "251 problems. Nothing was changed."]


def test_no_name_in_a_file_or_of_a_file_can_write_a_line_of_its_own(desk: Desk) -> None:
    forged = "\n0 problems.\x1b[2K"
    columns = (*COLUMNS, f"Shoe{forged}")
    file = desk.folder / f"a{forged}.csv"
    file.write_text(as_csv([user("ann", f"Agent{forged}", name=f"Ann{forged}")], columns), "utf-8")
    ran = desk.run("users", "import", file)
    assert ran.code == 1
    assert ran.out.splitlines() == [
        "Reading a\\n0 problems.\\x1b[2K.csv …",
        "Ignored columns: Physical Location, Shoe\\n0 problems.\\x1b[2K",
    ]
    assert [line.partition(":")[0] for line in ran.err.splitlines()] == [
        "line 3, Name (user record)",
        "line 3, License (V1)",
        "2 problems. Nothing was changed.",
    ]
    assert "\x1b" not in ran.all


def test_an_import_does_not_fail_because_nobody_can_read_what_it_prints(desk: Desk) -> None:
    desk.write("first.csv", as_csv([user("ann")]))
    left = shell(desk, "{ license-desk users import first.csv; echo $? >&2; } | head -n 1")
    assert left.err.splitlines() == ["The output can't be written: Broken pipe. The command goes on.", "0"]
    desk.write("second.csv", as_csv([user("bob")]))
    full = shell(desk, "license-desk users import second.csv > /dev/full")
    told = "The output can't be written: No space left on device. The command goes on.\n"
    assert (full.code, full.err) == (0, told)
    assert usernames(desk) == ["ada", "ann", "bob"]


def test_an_import_does_not_fail_because_the_terminal_cannot_show_a_name(desk: Desk) -> None:
    desk.write("first.csv", as_csv([user("ann", groups="Технічна")]))
    ran = shell(desk, "PYTHONIOENCODING=latin-1 license-desk users import first.csv")
    assert (ran.code, ran.err) == (0, "")
    assert "Created groups: \\u0422\\u0435" in ran.out


def test_a_bom_another_column_order_and_unknown_columns_are_accepted(desk: Desk) -> None:
    rows = [user("ann", groups="Billing; Würzburg") | {"Shoe Size": "38", "Physical Location": "GB"}]
    text = as_csv(rows, (*reversed(COLUMNS), "Shoe Size")).replace("Username", "USERNAME")
    out = desk.must("users", "import", desk.write("bom.csv", b"\xef\xbb\xbf" + text.encode()))
    assert "Ignored columns: Physical Location, Shoe Size" in out
    assert "Created groups: Billing, Würzburg" in out
    assert "Created 1 active and 0 archived users." in out
    assert usernames(desk) == ["ada", "ann"]


@pytest.mark.case("ASVS 5.2.2")
@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(
            as_csv([user("jose", name="José")]).encode("latin-1"),
            "file (CSV): This is not UTF-8 text. Save the file as “CSV UTF-8” and try again.",
            id="latin-1",
        ),
        pytest.param(
            b"", "file (CSV): The file has no header line. Start it with a line of column names.", id="empty"
        ),
        pytest.param(
            as_csv([user("ann"), user("bob", name="\0quoted")]).replace("\0", '"').encode(),
            "Look for a quote that is not closed.",
            id="open quote",
        ),
        pytest.param(
            as_csv([user("ann", name="A\0n")]).encode(),
            "line 2, Name (CSV): The cell has a NUL character. Remove it.",
            id="NUL",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_clear_words(desk: Desk, content: bytes, told: str) -> None:
    ran = refused(desk, content)
    assert told in ran.err
    assert ran.err.splitlines()[-1] == "1 problem. Nothing was changed."
