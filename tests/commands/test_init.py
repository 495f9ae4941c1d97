"""``init``: database, secrets and the first admin; safe to repeat, and clear when refused."""

import stat

from tests.commands.database import usernames
from tests.servers import Desk

GOOD = ("--username", "ada", "--name", "Ada Admin", "--email", "ada@desk.example", "--password-stdin")
PASSWORD = "a long enough password"


def secrets_of(desk: Desk) -> dict[str, str]:
    pairs = (line.partition("=") for line in desk.env_file.read_text("utf-8").splitlines())
    return {name: value for name, _, value in pairs}


def test_help_works_before_anything_is_set_up(empty: Desk) -> None:
    ran = empty.run("--help")
    assert ran.code == 0
    assert all(command in ran.out for command in ("init", "demo", "serve", "users", "contract", "recount"))
    assert ran.err == ""


def test_s8_init_makes_database_secrets_and_the_first_admin(empty: Desk) -> None:
    ran = empty.run("init", *GOOD, stdin=PASSWORD)
    assert (ran.code, ran.err) == (0, "")
    assert "Made the first admin: ada. Next: license-desk contract load FILE" in ran.out
    assert str(empty.database) in ran.out
    assert usernames(empty) == ["ada"]
    assert "vcc/admin       0           1         -1" in empty.must("contract", "show")


def test_init_writes_both_secrets_for_the_owner_alone_and_prints_neither(empty: Desk) -> None:
    ran = empty.run("init", *GOOD, stdin=PASSWORD)
    assert stat.S_IMODE(empty.env_file.stat().st_mode) == 0o600
    secrets = secrets_of(empty)
    assert set(secrets) == {"LICENSE_DESK_SECRET_KEY", "LICENSE_DESK_CHAIN_KEY"}
    assert len(set(secrets.values())) == 2
    for value in (*secrets.values(), PASSWORD):
        assert len(value) >= 15
        assert value not in ran.all


def test_init_again_makes_nobody_says_so_and_keeps_the_secrets(desk: Desk) -> None:
    before = secrets_of(desk)
    ran = desk.run("init", "--username", "eve", "--name", "Eve", "--email", "eve@desk.example",
                   "--password-stdin", stdin="another long password")  # fmt: skip
    assert ran.code == 0
    assert "An active admin exists already; nobody was made." in ran.out
    assert usernames(desk) == ["ada"]
    assert secrets_of(desk) == before


def test_init_keeps_a_file_written_by_hand_and_glues_nothing_to_its_last_line(empty: Desk) -> None:
    empty.env_file.parent.mkdir(parents=True)
    empty.env_file.write_text("LICENSE_DESK_ORGANIZATION=Northwind", "utf-8")
    empty.must("init", *GOOD, stdin=PASSWORD)
    written = secrets_of(empty)
    assert written["LICENSE_DESK_ORGANIZATION"] == "Northwind"
    assert set(written) == {
        "LICENSE_DESK_ORGANIZATION", "LICENSE_DESK_SECRET_KEY", "LICENSE_DESK_CHAIN_KEY"
    }  # fmt: skip


def test_a_short_password_is_refused_and_nobody_is_made(empty: Desk) -> None:
    ran = empty.run("init", *GOOD, stdin="fourteen chars")
    assert ran.code == 1
    assert "password (password): The password has 14 characters. Use at least 15" in ran.err
    assert "fourteen chars" not in ran.all
    assert usernames(empty) == []
    again = empty.run("init", *GOOD, stdin=PASSWORD)
    assert again.code == 0
    assert usernames(empty) == ["ada"]


def test_faulty_username_name_and_email_are_refused_together_with_rule_and_way_out(empty: Desk) -> None:
    ran = empty.run("init", "--username", "Ada Admin", "--name", "A" * 101, "--email", "ada(at)desk",
                    "--password-stdin", stdin=PASSWORD)  # fmt: skip
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "username (user record): “Ada Admin” has a space; a username can't. Use ada.admin.",
        "name (user record): The name has 101 characters. Shorten it to 100.",
        "email (user record): “ada(at)desk” is not an email address. "
        "Enter one, such as name@company.example.",
        "3 problems. Nothing was changed.",
    ]
    assert usernames(empty) == []
