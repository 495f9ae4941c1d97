"""The settings: what can't be meant is told before anything starts."""

import secrets

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


@pytest.mark.case("ASVS 13.2.3")
@pytest.mark.parametrize(
    "secret",
    ["change-me-change-me-change-me-change-me!", "CHANGEME0123456789abcdefghijklmnop", "your-secret-key-here-0123456789-abcdef",
     "django-insecure-3k2j4h5g6f7d8s9a0p1o2i3u", "a" * 64, "abcdefg" * 8,
     "license-desk-0123456789-abcdefghijk", "supersecretkeysupersecretkeysupersecret",
     "thisIsADevelopmentKeyOnlyDoNotUseIt", "qwertyuiopasdfghjklzxcvbnm123456"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["SECRET_KEY", "CHAIN_KEY"])
def test_a_key_out_of_an_example_is_refused_and_not_repeated(name: str, secret: str) -> None:
    refused = told(**{name: secret})
    assert (
        refused
        == f"The settings can't be used:\nLICENSE_DESK_{name} is easy to guess; use at least 32 random characters."
    )


@pytest.mark.case("ASVS 13.2.3")
def test_keys_as_init_makes_them_are_good_and_two_that_are_the_same_are_not() -> None:
    for _ in range(200):
        one, other = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
        read_settings(environment("sqlite:////srv/desk.db", SECRET_KEY=one, CHAIN_KEY=other))
    assert "CHAIN_KEY is the same as LICENSE_DESK_SECRET_KEY" in told(SECRET_KEY=one, CHAIN_KEY=one)
    assert "has 31 characters" in told(SECRET_KEY=one[:31])
    assert "LICENSE_DESK_SECRET_KEY is missing" in told(SECRET_KEY="")


@pytest.mark.parametrize(
    ("typed", "kept", "host"),
    [
        ("https://desk.example", "https://desk.example", "desk.example"),
        ("https://Desk.Example:443/", "https://desk.example", "desk.example"),
        ("http://desk.example:80", "http://desk.example", "desk.example"),
        ("https://desk.example:8443", "https://desk.example:8443", "desk.example"),
        ("http://192.0.2.7:8000", "http://192.0.2.7:8000", "192.0.2.7"),
        ("https://[2001:db8::7]:8443", "https://[2001:db8::7]:8443", "[2001:db8::7]"),
        ("https://büro.example", "https://xn--bro-hoa.example", "xn--bro-hoa.example"),
    ],
)
def test_the_public_address_is_kept_as_browsers_tell_it_and_its_host_is_trusted(
    typed: str, kept: str, host: str
) -> None:
    found = read_settings(environment("sqlite:////srv/desk.db", PUBLIC_URL=typed, TRUSTED_HOSTS="localhost"))
    assert found.public_url == kept
    assert found.trusted_hosts == ("localhost", host)


@pytest.mark.parametrize(
    "url",
    ["desk.example", "ftp://desk.example", "https://", "https://desk.example/app", "https://desk.example?x=1", "https://me@desk.example",
     "https://desk.example:port", "https://desk.example:99999", "https://[::1", "https://desk one", "javascript:alert(1)", "//desk.example"],
)  # fmt: skip
def test_what_is_no_public_address_is_refused(url: str) -> None:
    assert "LICENSE_DESK_PUBLIC_URL must be like https://desk.example" in told(PUBLIC_URL=url)


@pytest.mark.parametrize("count", ["-1", "10", "one", "1.5", "٣"])
def test_proxies_are_counted_in_one_digit(count: str) -> None:
    assert "LICENSE_DESK_PROXY_COUNT must be a number from 0 to 9." in told(PROXY_COUNT=count)


def test_the_log_has_two_formats() -> None:
    assert "LICENSE_DESK_LOG_FORMAT must be text or json." in told(LOG_FORMAT="xml")
