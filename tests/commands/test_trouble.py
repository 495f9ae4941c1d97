"""What can't work is said in one clear message, and nothing is made or broken by trying."""

import secrets
import socket

import pytest

from tests.commands.database import change
from tests.commands.files import CONTRACT
from tests.servers import Desk, Ran

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


def test_serve_refuses_a_schema_of_another_revision_and_names_the_way_out(desk: Desk) -> None:
    change(desk, "UPDATE alembic_version SET version_num = 'of_tomorrow'")
    told = stopped(desk.run("serve"))
    assert "The database is at revision of_tomorrow" in told
    assert "Run: license-desk db upgrade" in told


def test_every_fault_of_the_settings_is_told_at_once(empty: Desk) -> None:
    told = stopped(empty.run("serve", SECRET_KEY="too short", TIME_ZONE="Europe/Atlantis"))
    for name in ("LICENSE_DESK_SECRET_KEY", "LICENSE_DESK_CHAIN_KEY is missing", "LICENSE_DESK_TIME_ZONE"):
        assert name in told
    assert "too short" not in told.replace("is too short", "")


def test_serve_refuses_a_file_that_is_no_database(desk: Desk) -> None:
    desk.database.write_bytes(b"this was never a database\n" * 400)
    told = stopped(desk.run("serve"))
    assert "The database can't be used: file is not a database" in told
    assert len(told.splitlines()) == 1


def test_serve_refuses_to_send_passwords_in_the_clear_beyond_this_machine(desk: Desk) -> None:
    told = stopped(desk.run("serve", "--host", "0.0.0.0"))
    assert "Without TLS, 0.0.0.0 would send passwords in the clear." in told
    assert "LICENSE_DESK_ALLOW_INSECURE_HTTP=1" in told


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
