"""The settings: what can't be meant is told before anything starts."""

import pytest

from tests.databases import environment
from webapp.settings import PREFIX, SettingsError, read_settings


def told(**settings: str) -> str:
    with pytest.raises(SettingsError) as refused:
        read_settings(
            environment("sqlite:////srv/desk.db")
            | {f"{PREFIX}{name}": value for name, value in settings.items()}
        )
    return str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg2://me@db/desk", "postgresql+asyncpg://me@db/desk", "sqlite+aiosqlite:///desk.db", "mysql://me@db/desk"],
)  # fmt: skip
def test_a_database_is_reached_by_our_own_drivers_alone(url: str) -> None:
    assert "LICENSE_DESK_DATABASE_URL must begin with sqlite:/// or postgresql://." in told(DATABASE_URL=url)


@pytest.mark.parametrize(
    "hosts",
    ["https://desk.example", "desk.example:8000", "desk.example/licenses", "desk one", "*", ".desk.example", "a..b",
     "::1", "ok.example, not:ok", "x" * 64, ", ,"],
)  # fmt: skip
def test_only_plain_host_names_are_trusted(hosts: str) -> None:
    assert "LICENSE_DESK_TRUSTED_HOSTS must be plain host names" in told(TRUSTED_HOSTS=hosts)


def test_host_names_are_kept_as_browsers_send_them() -> None:
    given = environment("sqlite:////srv/desk.db", TRUSTED_HOSTS="Desk.Example, büro.example,192.0.2.7,[::1]")
    assert read_settings(given).trusted_hosts == ("desk.example", "xn--bro-hoa.example", "192.0.2.7", "[::1]")
