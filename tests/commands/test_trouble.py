"""What can't work is said in one clear message, and nothing is made or broken by trying."""

import os
import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from tests.commands.database import change
from tests.commands.files import CONTRACT
from tests.commands.shell import shell
from tests.databases import environment, settings_for
from tests.servers import Desk, Ran
from webapp.commands.start import has_wal_reset_bug, refuse_wrong_database
from webapp.commands.trouble import in_words
from webapp.settings import SettingsError

NOBODY = 65534
SECRETS = {"SECRET_KEY": secrets.token_urlsafe(48), "CHAIN_KEY": secrets.token_urlsafe(48)}


def stopped(ran: Ran) -> str:
    """The message of a command that can't start: exit 2, no traceback."""
    assert ran.code == 2, ran.all
    assert "Traceback" not in ran.all
    return ran.err


@pytest.mark.parametrize("command", ["recount", "contract show", "contract load", "users import", "serve"])
def test_without_a_database_a_command_says_so_and_makes_none(empty: Desk, command: str) -> None:
    files = [empty.write("file.csv", CONTRACT)] if command.endswith(("load", "import")) else []
    told = stopped(empty.run(*command.split(), *files, **SECRETS))
    assert "license-desk init" in told
    assert len(told.splitlines()) == 1
    assert not empty.database.exists()
    assert list(empty.folder.rglob("*.db")) == []


def test_without_a_catalog_nothing_can_be_contracted_or_imported_and_init_is_named(empty: Desk) -> None:
    empty.must("db", "upgrade", **SECRETS)
    file = empty.write("file.csv", CONTRACT)
    for command in (("contract", "load", file), ("contract", "show"), ("users", "import", file)):
        ran = empty.run(*command, **SECRETS)
        assert ran.code == 1
        assert ran.err.splitlines() == [
            "catalog (catalog): No catalog is loaded. Run: license-desk init",
            "1 problem. Nothing was changed.",
        ]


def test_serve_refuses_a_schema_of_another_revision_and_names_the_way_out(desk: Desk) -> None:
    change(desk, "UPDATE alembic_version SET version_num = 'of_tomorrow'")
    told = stopped(desk.run("serve"))
    assert "The database is at revision of_tomorrow" in told
    assert "It is of a newer version: install that one, or put the backup" in told
    change(desk, "UPDATE alembic_version SET version_num = 'lists'")
    told = stopped(desk.run("serve"))
    assert "The database is at revision lists, " in told
    assert "Run: license-desk db upgrade" in told
    change(desk, "DELETE FROM alembic_version")
    told = stopped(desk.run("serve"))
    assert "The database is at revision none, " in told
    assert "Run: license-desk init" in told


def test_every_fault_of_the_settings_is_told_at_once(empty: Desk) -> None:
    told = stopped(empty.run("serve", SECRET_KEY="too short", TIME_ZONE="Europe/Atlantis"))
    for name in ("LICENSE_DESK_SECRET_KEY", "LICENSE_DESK_CHAIN_KEY is missing", "LICENSE_DESK_TIME_ZONE"):
        assert name in told
    assert "too short" not in told.replace("is too short", "")


def test_serve_refuses_a_file_that_is_no_database(desk: Desk) -> None:
    desk.database.write_bytes(b"this was never a database\n" * 400)
    told = stopped(desk.run("serve"))
    assert told == f"{desk.database} is not a database. Move it away and run: license-desk init\n"
    assert len(told.splitlines()) == 1


def test_serve_refuses_to_send_passwords_in_the_clear_beyond_this_machine(desk: Desk) -> None:
    told = stopped(desk.run("serve", "--host", "0.0.0.0"))
    assert "Without TLS, 0.0.0.0 would send passwords in the clear." in told
    assert "LICENSE_DESK_ALLOW_INSECURE_HTTP=1" in told


def test_serve_says_where_it_cannot_listen_before_it_says_where_it_is(desk: Desk) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ran = desk.run("serve", "--port", port)
    assert stopped(ran) == f"Can't listen on 127.0.0.1 port {port}: Address already in use. Try --port.\n"
    assert ran.out == ""
    for host in ("203.0.113.9", "no-such-host.invalid", "a..b"):
        ran = desk.run("serve", "--host", host, ALLOW_INSECURE_HTTP="1")
        assert stopped(ran).startswith(f"Can't listen on {host} port 8000: ")
        assert stopped(ran).endswith("--host must be an address of this machine.\n")
        assert ran.out == ""


def test_all_faults_of_a_start_are_told_at_once(desk: Desk) -> None:
    change(desk, "UPDATE alembic_version SET version_num = 'of_tomorrow'")
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ran = desk.run("serve", "--host", "0.0.0.0", "--port", port, "--tls-cert", "missing.crt")
    assert [line.split(":")[0][:40] for line in stopped(ran).splitlines()] == [
        "--tls-cert and --tls-key need each other",
        f"Can't listen on 0.0.0.0 port {port}"[:40],
        "The database is at revision of_tomorrow,",
    ]
    assert ran.out == ""
    told = stopped(
        desk.run("serve", "--host", "0.0.0.0", "--tls-key", "x", SECRET_KEY="short", PROXY_COUNT="many")
    )
    assert len(told.splitlines()) == 4


@pytest.mark.case("ASVS 13.4.2")
@pytest.mark.parametrize("command", ["serve", "demo"])
@pytest.mark.parametrize("switch", [{"FLASK_DEBUG": "1"}, {"FLASK_ENV": "development"}])
def test_nothing_is_served_with_debugging_on(
    desk: Desk, command: str, switch: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in switch.items():
        monkeypatch.setenv(name, value)
    told = stopped(desk.run(command))
    assert told == "Debugging is on, which is not for serving. Unset FLASK_DEBUG and FLASK_ENV.\n"


@contextmanager
def without_rights(folder: Path) -> Iterator[Path]:
    """A folder in ``folder`` that belongs to whoever the test then is: the system's administrator may write all."""
    mine = folder / "mine"
    mine.mkdir()
    if os.geteuid() != 0:
        yield mine
        return
    os.chown(mine, NOBODY, NOBODY)
    folder.chmod(0o755)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield mine
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.parametrize("what", ["license-desk.db", "license-desk.db-wal", "license-desk.db.lock", "."])
def test_serve_refuses_a_database_that_this_account_cannot_write(what: str) -> None:
    with TemporaryDirectory() as folder, without_rights(Path(folder)) as mine:
        for name in ("license-desk.db", "license-desk.db-wal", "license-desk.db.lock"):
            (mine / name).touch()
        settings = settings_for(f"sqlite:///{mine / 'license-desk.db'}")
        closed = mine / what
        closed.chmod(0o500 if closed.is_dir() else 0o400)
        try:
            with pytest.raises(SettingsError) as refused:
                refuse_wrong_database(settings)
        finally:
            closed.chmod(0o700)
    assert str(refused.value) == (
        f"This account can't write {closed}. Let it read and write the database and its folder."
    )


@pytest.mark.parametrize(
    ("version", "faulty"),
    [((3, 6, 23), False), ((3, 7, 0), True), ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False), ((3, 44, 9), False),
     ((3, 45, 0), True), ((3, 50, 6), True), ((3, 50, 7), False), ((3, 51, 0), True), ((3, 51, 2), True), ((3, 51, 3), False),
     ((3, 52, 0), False)],
)  # fmt: skip
def test_versions_of_SQLite_that_can_lose_a_change_are_known(version: tuple[int, ...], faulty: bool) -> None:
    assert has_wal_reset_bug(version) == faulty


@pytest.mark.case("ASVS 13.4.2", "ASVS 15.2.3")
def test_the_server_of_flask_is_not_offered(empty: Desk) -> None:
    assert "No such command 'run'" in stopped(empty.run("run"))
    assert re.findall(r"^  (routes|shell|db|run)\b", empty.run("--help").out, re.MULTILINE) == [
        "db", "routes", "shell",
    ]  # fmt: skip


def test_a_server_that_cannot_be_reached_is_not_called_busy(desk: Desk) -> None:
    told = stopped(desk.run("recount", DATABASE_URL="postgresql://me:hidden@127.0.0.1:9/desk"))
    assert told.startswith("The database postgresql://me:***@127.0.0.1:9/desk can't be reached: ")
    assert told.endswith("Start it, or correct LICENSE_DESK_DATABASE_URL.\n")
    assert len(told.splitlines()) == 1


def of_sqlite(file: Path, *statements: str, options: str = "") -> Exception:
    """The error that the last statement really gives."""
    engine = create_engine(f"sqlite:///file:{file}?{options}uri=true")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
                connection.commit()
    except DBAPIError as error:
        return error
    finally:
        engine.dispose()
    raise AssertionError("there was no error")


MAKE = "CREATE TABLE IF NOT EXISTS t (x TEXT UNIQUE)"


@pytest.mark.parametrize(
    ("statements", "options", "code", "told"),
    [
        ((MAKE,), "mode=ro&", 2, "can't be written: attempt to write a readonly database. Let this account"),
        ((MAKE, "PRAGMA max_page_count=3", "INSERT INTO t VALUES (zeroblob(99999))"), "", 2,
         "has no room left: database or disk is full. Nothing was changed. Make room on its disk."),
        ((MAKE, "INSERT INTO t VALUES (1), (1)"), "", 1,
         "refused it: UNIQUE constraint failed: t.x. Nothing was changed. Try again"),
        (("SELECT 1 FROM pool",), "", 2, "has no tables yet. Run: license-desk init"),
        ((MAKE, "SELECT y FROM t"), "", 2, "is of another version: no such column: y. Run: license-desk db upgrade"),
        (("SELECT",), "", 2, "can't be used: incomplete input."),
    ],
    ids=["read-only", "full", "unique", "no table", "no column", "another"],
)  # fmt: skip
def test_each_database_error_names_the_file_and_says_what_it_is(
    statements: tuple[str, ...], options: str, code: int, told: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    file = tmp_path / "desk.db"
    file.touch()
    for name, value in environment(f"sqlite:///{file}").items():
        monkeypatch.setenv(name, value)
    found = in_words(of_sqlite(file, *statements, options=options))
    assert found is not None
    assert found[0] == code
    (line,) = found[1]
    assert line.startswith(f"The database {file} {told}")


def test_text_that_is_not_utf_8_is_told_with_the_way_out_and_not_repeated(desk: Desk) -> None:
    desk.env_file.write_bytes(desk.env_file.read_bytes() + b"LICENSE_DESK_HELP=\xfc\n")
    assert stopped(desk.run("recount")) == f"{desk.env_file} is not UTF-8 text. Save it as UTF-8.\n"
    desk.env_file.write_bytes(desk.env_file.read_bytes().replace(b"\xfc", b"us"))
    catalog = desk.write("catalog.toml", b"# \xfc")
    told = stopped(desk.run("init", CATALOG=str(catalog)))
    assert told == f"The catalog {catalog} is not UTF-8 text. Save it as UTF-8.\n"
    ran = shell(desk, "LICENSE_DESK_HELP=$(printf '\\374') license-desk recount")
    assert "LICENSE_DESK_HELP is not UTF-8 text." in stopped(ran)


def test_what_the_system_refuses_is_told_with_the_file(empty: Desk) -> None:
    empty.data.parent.mkdir(exist_ok=True)
    empty.data.write_text("a file where the folder should be")
    told = stopped(empty.run("init"))
    assert told.startswith(f"Can't use {empty.data}: File exists. Check that ")
    assert len(told.splitlines()) == 1


def test_output_that_cannot_be_written_is_told_and_a_reader_who_left_is_not(desk: Desk) -> None:
    told = stopped(shell(desk, "license-desk contract show > /dev/full"))
    assert told == "The output can't be written: No space left on device.\n"
    assert shell(desk, "license-desk contract show | head -n 1").err == ""


def test_demo_refuses_a_port_that_is_taken_and_throws_nothing_away(empty: Desk) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        empty.data.mkdir()
        kept = empty.data / f"demo-{port}.db"
        kept.write_text("another demo's database")
        told = stopped(empty.run("demo", "--port", port))
    assert f"Can't listen on 127.0.0.1 port {port}" in told
    assert "Try --port." in told
    assert kept.read_text() == "another demo's database"


def test_s7_recount_tells_the_difference_if_a_counter_was_changed_behind_its_back(staffed: Desk) -> None:
    change(staffed, """
        UPDATE pool SET assigned = assigned + 2 WHERE license_type_id = (
            SELECT license_type.id FROM license_type JOIN product ON product.id = product_id
            WHERE product.key = 'vcc' AND license_type.key = 'agent')
    """)  # fmt: skip
    ran = staffed.run("recount")
    assert ran.code == 1
    assert ran.out == "vcc/agent: 252 booked, 250 counted\n"
    assert ran.err == ""
