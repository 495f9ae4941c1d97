"""``changes verify``: whatever was done to the log behind the program's back is found, by its number."""

import sqlite3

import pytest

from tests.commands.files import as_csv, user
from tests.servers import Desk

OFF = "DROP TRIGGER change_no_update; DROP TRIGGER change_no_delete; DROP TRIGGER change_no_replace;" + (
    "DROP TRIGGER change_entry_no_update; DROP TRIGGER change_entry_no_delete; DROP TRIGGER change_entry_no_replace;"
)
TAMPERINGS = {
    "UPDATE change SET actor = 'nobody' WHERE seq = 3": 3,
    "UPDATE change SET at = datetime(at, '+1 second') WHERE seq = 2": 2,
    "UPDATE change_entry SET new = 'x' WHERE change_seq = 3 AND position = 1": 3,
    "UPDATE change_entry SET user_id = NULL WHERE change_seq = 4 AND position = 0": 4,
    "DELETE FROM change_entry WHERE change_seq = 3 AND position = 0": 3,
    "DELETE FROM change_entry WHERE change_seq = 4": 4,
    "INSERT INTO change_entry SELECT change_seq, 99, user_id, subject, subject_name, field, old, new, cause "
    "FROM change_entry WHERE change_seq = 2 AND position = 0": 2,
    "DELETE FROM change_entry WHERE change_seq = 3; DELETE FROM change WHERE seq = 3": 3,
    "UPDATE change SET seq = -3 WHERE seq = 3; UPDATE change SET seq = 3 WHERE seq = 4; "
    "UPDATE change SET seq = 4 WHERE seq = -3": 3,
    "DELETE FROM change_entry WHERE change_seq = 5; DELETE FROM change WHERE seq = 5": 5,
    "UPDATE change SET key_id = 'other' WHERE seq = 5": 5,
    "UPDATE chain_head SET hash = 'other'": 5,
}  # fmt: skip


@pytest.fixture
def logged(desk: Desk) -> Desk:
    """Five changes: catalog, first admin, contract and two imports."""
    for name in ("ann", "bob"):
        desk.must("users", "import", desk.write(f"{name}.csv", as_csv([user(name)])))
    return desk


def behind(desk: Desk, statements: str) -> None:
    connection = sqlite3.connect(desk.database)
    connection.executescript(statements)
    connection.close()


def test_a_log_that_nobody_touched_holds_and_tells_its_last_line(logged: Desk) -> None:
    lines = logged.must("changes", "verify").splitlines()
    assert lines[0] == "5 changes, each as it was written."
    assert lines[-1].startswith("5:")
    assert logged.run("changes", "verify", "--anchor", lines[-1]).code == 0


@pytest.mark.case("TRAIL-2")
def test_trail_2_whatever_is_changed_is_found_by_the_first_bad_number(
    logged: Desk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for statements, seq in TAMPERINGS.items():
        desk = logged.copy(tmp_path_factory.mktemp("tampered"))
        behind(desk, OFF + statements)
        ran = desk.run("changes", "verify")
        assert ran.code == 1, statements
        assert ran.out.startswith(f"Change {seq} "), (statements, ran.out)


@pytest.mark.case("TRAIL-2")
def test_trail_2_a_tail_cut_off_with_its_head_is_found_against_the_line_that_was_kept(logged: Desk) -> None:
    kept = logged.must("changes", "verify").splitlines()[-1]
    behind(logged, OFF + (
        "DELETE FROM holding WHERE opened_by = 5; DELETE FROM change_entry WHERE change_seq = 5;"
        "DELETE FROM change WHERE seq = 5;"
        "UPDATE chain_head SET seq = 4, hash = (SELECT hash FROM change WHERE seq = 4)"
    ))  # fmt: skip
    assert logged.run("changes", "verify").code == 0
    ran = logged.run("changes", "verify", "--anchor", kept)
    assert ran.code == 1
    assert ran.out.startswith("Change 5 is not the one that was noted")
    assert logged.run("changes", "verify", "--anchor", "five").code == 2


def test_another_key_verifies_nothing(logged: Desk) -> None:
    ran = logged.run("changes", "verify", CHAIN_KEY="another key of at least thirty-two characters")
    assert ran.code == 1
    assert ran.out.startswith("Change 1 was sealed with another key")
