"""The settings: one frozen table from the environment, all faults reported at once.

The environment wins over ``license-desk.env`` in the folder of the default database. No setting
has a secret default, and none is derived from another.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from sqlalchemy.engine import make_url

from webapp import resources

PREFIX = "LICENSE_DESK_"
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")
_HOST_NAME = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]")
# How secrets begin in examples and guides, letters and digits alone.
_KNOWN_BEGINNINGS = (
    "secret", "example", "flask", "django", "qwerty", "changeme", "changethis", "replaceme", "yoursecret",
    "supersecret", "insecure", "password", "licensedesk", "default", "development", "thisis",
)  # fmt: skip


class SettingsError(Exception):
    """The environment can't be used; the message names every fault."""


@dataclass(frozen=True)
class Setting:
    """One row of the table: name without prefix, how to read it, default in words, why."""

    name: str
    read: Callable[[str], Any]
    default: Any
    default_words: str
    why: str


def env_file() -> Path:
    """The file of settings beside the default database."""
    return resources.data_folder() / "license-desk.env"


def env_file_values() -> dict[str, str | None]:
    """What stands in the file of settings; nothing if there is none. Raises SettingsError."""
    try:
        return dotenv_values(env_file(), interpolate=False, encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"{env_file()} is not UTF-8 text. Save it as UTF-8.") from None


def unknown_settings() -> list[str]:
    """Names that begin like ours and set nothing, from the environment and the file."""
    known = {PREFIX + setting.name for setting in TABLE}
    given = {*os.environ, *env_file_values()}
    return sorted(name for name in given if name.startswith(PREFIX) and name not in known)


def default_database() -> str:
    """The SQLite file used when nothing else is named."""
    return f"sqlite:///{resources.data_folder() / 'license-desk.db'}"


def _database(value: str) -> str:
    try:
        url = make_url(value)
    except Exception:
        raise ValueError("is not a database address; write sqlite:///FILE or postgresql://…") from None
    if url.drivername not in _DRIVERS:
        raise ValueError("must begin with sqlite:/// or postgresql://")
    if url.get_backend_name() == "postgresql" and not find_spec("psycopg"):
        raise ValueError("needs the package psycopg; install license-desk[postgres]")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("must name a file")
    return value


def _secret(value: str) -> str:
    if len(value) < 32:
        raise ValueError(f"has {len(value)} characters; use at least 32 random ones")
    bare = re.sub(r"[^a-z0-9]", "", value.casefold())
    if bare.startswith(_KNOWN_BEGINNINGS) or len(set(value)) < 8:
        raise ValueError("is easy to guess; use at least 32 random characters")
    return value


def _yes(value: str) -> bool:
    if value not in ("0", "1"):
        raise ValueError("must be 1 or 0")
    return value == "1"


def _hosts(value: str) -> tuple[str, ...]:
    names = tuple(plain_host(name.strip()) for name in value.split(",") if name.strip())
    if not names or "" in names:
        raise ValueError("must be plain host names, separated by commas: no scheme, port, path, space or *")
    return names


def plain_host(name: str) -> str:
    """A host's name as a browser sends it; empty if it is none."""
    try:
        plain = name.lower() if name.startswith("[") else name.lower().encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    return plain if _HOST_NAME.fullmatch(plain) else ""


def host_name(host: str) -> str:
    """The name in a ``Host`` line, without its port."""
    return re.sub(r":[0-9]*$", "", host).lower()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _count(value: str) -> int:
    if not re.fullmatch(r"[0-9]", value):
        raise ValueError("must be a number from 0 to 9")
    return int(value)


def _url(value: str) -> str:
    """The address as a browser tells its origin: no default port, no slash at the end."""
    try:
        parts = urlsplit(value.strip())
        name, port = parts.hostname or "", parts.port
        default = {"http": 80, "https": 443}[parts.scheme]
    except (ValueError, KeyError):
        name = ""
    host = plain_host(f"[{name}]" if ":" in name else name)
    if not host or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be like https://desk.example or https://desk.example:8443, without a path")
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, default) else "")


def _smtp(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.path.strip("/") or parts.query:
        raise ValueError("must be like smtps://user:password@mail.example:465 or smtp://mail.example:587")
    return value


def _log_format(value: str) -> str:
    if value not in ("text", "json"):
        raise ValueError("must be text or json")
    return value


def _zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("is not a time zone; write one like Europe/Berlin") from None


def _file(value: str) -> Path:
    if not Path(value).is_file():
        raise ValueError("names no file")
    return Path(value)


def _text(value: str) -> str:
    if len(value) > 200 or not value.isprintable():
        raise ValueError("must be one line of at most 200 characters")
    return value


_REQUIRED = object()

TABLE = (
    Setting("DATABASE_URL", _database, None, "`license-desk.db` in the data folder",
            "SQLite file or PostgreSQL database"),
    Setting("SECRET_KEY", _secret, _REQUIRED, "none; `init` makes one", "signs the session cookie"),
    Setting("CHAIN_KEY", _secret, _REQUIRED, "none; `init` makes one",
            "seals the change log; keep a copy apart from the backups"),
    Setting("ALLOW_INSECURE_HTTP", _yes, False, "0",
            "1 lets `serve` listen beyond this machine without TLS"),
    Setting("TRUSTED_HOSTS", _hosts, _LOOPBACK, "loopback names",
            "the host names under which browsers reach the app"),
    Setting("PUBLIC_URL", _url, "", "empty",
            "where browsers reach the app (`https://desk.example`); its host is trusted too"),
    Setting("PROXY_COUNT", _count, 0, "0",
            "how many proxies stand before `serve` and set `X-Forwarded-For`, `-Proto` and `-Host`"),
    Setting("SMTP_URL", _smtp, "", "empty",
            "mails links for passwords: `smtps://user:password@mail.example`, or `smtp://` with STARTTLS"),
    Setting("MAIL_FROM", _text, "license-desk@localhost", "`license-desk@localhost`",
            "who those mails are from"),
    Setting("TIME_ZONE", _zone, ZoneInfo("UTC"), "UTC",
            "a contract line's day begins at midnight here; times are shown in it"),
    Setting("ORGANIZATION", _text, "", "empty", "the name shown at the top of each page"),
    Setting("HELP", _text, "", "empty", "whom to ask, shown on the sign-in and error pages"),
    Setting("CATALOG", _file, resources.CATALOG, "the shipped file",
            "products and license types; load it with `init`"),
    Setting("LOG_FORMAT", _log_format, "text", "text", "`text` or `json`, a line for each request"),
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What the app runs with."""

    database_url: str
    secret_key: str
    chain_key: str
    allow_insecure_http: bool
    trusted_hosts: tuple[str, ...]
    public_url: str
    proxy_count: int
    smtp_url: str
    mail_from: str
    time_zone: ZoneInfo
    organization: str
    help: str
    catalog: Path
    log_format: str

    @property
    def sqlite_file(self) -> Path | None:
        """The database file; None on PostgreSQL."""
        url = make_url(self.database_url)
        return Path(str(url.database)).absolute() if url.get_backend_name() == "sqlite" else None

    @property
    def database_words(self) -> str:
        """Where the database is, as it may be printed: without a password."""
        return make_url(self.database_url).render_as_string(hide_password=True)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings from the environment and the file. Raises SettingsError with every fault."""
    given = dict(os.environ if environment is None else environment)
    from_file = env_file_values() if environment is None else {}
    values: dict[str, Any] = {}
    faults = []
    for setting in TABLE:
        name = PREFIX + setting.name
        text = given.get(name) or from_file.get(name) or ""
        try:
            if text:
                _refuse_broken_text(text)
                values[setting.name.lower()] = setting.read(text)
            elif setting.default is _REQUIRED:
                raise ValueError("is missing; run license-desk init, or set it")
            else:
                values[setting.name.lower()] = setting.default
        except ValueError as fault:
            faults.append(f"{name} {fault}.")
    if "secret_key" in values and values["secret_key"] == values.get("chain_key"):
        faults.append(f"{PREFIX}CHAIN_KEY is the same as {PREFIX}SECRET_KEY; use another.")
    if faults:
        raise SettingsError("\n".join(["The settings can't be used:", *faults]))
    if values["public_url"]:
        host = host_name(urlsplit(values["public_url"]).netloc)
        values["trusted_hosts"] = tuple(dict.fromkeys((*values["trusted_hosts"], host)))
    values["database_url"] = values["database_url"] or default_database()
    return Settings(**values)


def _refuse_broken_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("is not UTF-8 text") from None


def table_in_markdown() -> str:
    """The README's table of settings."""
    rows = [f"| `{PREFIX}{s.name}` | {s.default_words} | {s.why} |" for s in TABLE]
    return "\n".join(["| setting | default | what for |", "|---|---|---|", *rows])
