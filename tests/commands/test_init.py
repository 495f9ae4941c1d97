"""``init``: database, secrets and the first admin; safe to repeat, and clear when refused."""

import stat
from concurrent.futures import ThreadPoolExecutor
from secrets import token_urlsafe

import psycopg
import pytest

from tests.commands.database import usernames
from tests.commands.shell import shell
from tests.databases import Postgres
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
    assert "vcc/admin       0           1         1 over" in empty.must("contract", "show")


@pytest.mark.case("ASVS 13.3.1")
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


def test_faulty_username_name_email_and_password_are_refused_together_with_rule_and_way_out(
    empty: Desk,
) -> None:
    ran = empty.run("init", "--username", "Ada Admin", "--name", "A" * 101, "--email", "ada(at)desk",
                    "--password-stdin", stdin="fourteen chars")  # fmt: skip
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "username (user record): “Ada Admin” has a space; a username can't. Use ada.admin.",
        "name (user record): The name has 101 characters. Shorten it to 100.",
        "email (user record): “ada(at)desk” is not an email address. "
        "Enter one, such as name@company.example.",
        "password (password): The password has 14 characters. Use at least 15; a short sentence is good.",
        "4 problems. Nothing was changed.",
    ]
    assert usernames(empty) == []


def test_bytes_that_are_no_text_are_told_as_faults_of_their_fields(empty: Desk) -> None:
    line = (
        "license-desk init --username ada --name \"$(printf 'A\\377')\" --email a@b.example --password-stdin"
    )
    ran = shell(empty, line, stdin=b"a long enough p\xffssword")
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "name (user record): The name has control characters, or nothing that can be seen. "
        "Type it again without them.",
        "password (password): The password is not UTF-8 text. Choose another, or send it as UTF-8.",
        "2 problems. Nothing was changed.",
    ]


def test_a_piped_password_needs_the_rest_as_options_and_nothing_is_begun_without(empty: Desk) -> None:
    ran = empty.run("init", "--password-stdin", "--username", "ada", stdin=PASSWORD)
    assert ran.code == 2
    assert "--password-stdin needs --username, --name and --email" in ran.err
    assert not empty.data.exists()


def test_a_setting_that_is_none_is_told_once_and_ignored(empty: Desk) -> None:
    ran = empty.run("init", *GOOD, stdin=PASSWORD, TIMEZONE="Asia/Tokyo")
    assert ran.code == 0
    assert ran.err == "LICENSE_DESK_TIMEZONE is not a setting; it is ignored.\n"


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_s8_three_at_once_make_one_database_one_pair_of_secrets_and_one_admin(
    empty: Desk, database: str, request: pytest.FixtureRequest
) -> None:
    def run(username: str, **settings: str) -> tuple[int, str, list[str]]:
        ran = empty.run("init", "--username", username, *GOOD[2:], stdin=PASSWORD, **settings)
        return ran.code, ran.err, ran.out.splitlines()[-1:]

    def race(**settings: str) -> list[str]:
        with ThreadPoolExecutor() as pool:
            ran = list(pool.map(lambda name: run(name, **settings), ("ada", "bob", "eve")))
        assert [(code, err) for code, err, _ in ran] == [(0, "")] * 3
        told = sorted(line[0] for _, _, line in ran)
        assert told[:2] == ["An active admin exists already; nobody was made."] * 2
        assert told[2].startswith("Made the first admin: ")
        return sorted(secrets_of(empty))

    if database == "sqlite":
        assert race() == ["LICENSE_DESK_CHAIN_KEY", "LICENSE_DESK_SECRET_KEY"]
        assert len(empty.env_file.read_text("utf-8").splitlines()) == 2
        assert len(usernames(empty)) == 1
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.empty() as url:
        secrets = {"SECRET_KEY": token_urlsafe(48), "CHAIN_KEY": token_urlsafe(48)}
        before = empty.run("recount", DATABASE_URL=url, **secrets)
        assert before.code == 2
        assert before.err.endswith(" has no tables yet. Run: license-desk init\n")
        race(DATABASE_URL=url)
        with psycopg.connect(url) as connection:
            assert connection.execute('SELECT count(*) FROM "user"').fetchone() == (1,)
            assert connection.execute(
                "SELECT count(*) FROM change WHERE cause = 'catalog loaded'"
            ).fetchone() == (1,)
