"""``init``: database, catalog, secrets and the first admin (S8). Safe to repeat, and at once.

The password comes from the prompt or standard input, never from an argument: those are seen by
everyone on the machine.
"""

import fcntl
import os
import secrets
import sys
from pathlib import Path

import click
from flask_migrate import upgrade

from webapp.commands.common import catalog_file, operator_act, tell, warn_of_unknown_settings
from webapp.database import PATIENCE, clock, db, now, transaction
from webapp.licensing import ledger, passwords, users
from webapp.licensing.catalog import Catalog
from webapp.licensing.errors import LicensingError, Problem
from webapp.licensing.installation import load_catalog
from webapp.licensing.plan import plan_new_users
from webapp.licensing.record import Wish
from webapp.settings import PREFIX, env_file, env_file_values, read_settings
from webapp.words import Role

_SECRETS = (f"{PREFIX}SECRET_KEY", f"{PREFIX}CHAIN_KEY")
_MADE_NOBODY = Problem("admin_exists", "username")


@click.command()
@click.option("--username", help="The first admin's username.")
@click.option("--name", help="The first admin's name.")
@click.option("--email", help="The first admin's email address.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def init(username: str | None, name: str | None, email: str | None, password_stdin: bool) -> None:
    """Create the database, load the catalog, make the secrets and the first admin."""
    from webapp.factory import create_app

    if password_stdin and not (username and name and email):
        raise click.UsageError("--password-stdin needs --username, --name and --email: nobody can be asked.")
    made = write_missing_secrets(env_file())
    settings = read_settings()
    warn_of_unknown_settings()
    if made:
        tell([f"Wrote {' and '.join(made)} to {env_file()}."])
    tell([f"Database: {settings.database_words}"])
    catalog = catalog_file(settings)
    with create_app(settings).app_context():
        upgrade()
        with transaction(PATIENCE) as session:
            load_catalog(session, catalog, operator_act())
            there = users.active_admin_exists(session)
        tell(["The database and the catalog are up to date."])
        if there:
            tell([_MADE_NOBODY.sentence])
            return
        make_first_admin(
            username or click.prompt("Username of the first admin"),
            name or click.prompt("Name"),
            email or click.prompt("Email"),
            _password(password_stdin),
        )


def _password(from_stdin: bool) -> str:
    """The password as typed or piped; bytes that are no text stay to be told apart from it."""
    if not from_stdin:
        question = "Password (at least 15 characters)"
        return str(click.prompt(question, hide_input=True, confirmation_prompt=True))
    line = sys.stdin.buffer.readline(10_000) if sys.stdin else b""
    return line.decode("utf-8", "surrogateescape").rstrip("\r\n")


def make_first_admin(username: str, name: str, email: str, password: str) -> None:
    """Make the first admin through the one writer (S8). All that is wrong is told together."""
    wish = _first_admin(ledger.read_catalog(db.session()), username, name, email)
    plan = plan_new_users([wish], ledger.facts(db.session(), [wish], clock().today()), first_admin=True)
    password_hash, faults = _hashed(password)
    if problems := (*plan.refusals, *faults):
        raise LicensingError(problems)
    try:
        with transaction(PATIENCE) as session:
            done = users.create(session, [wish], operator_act(), first_admin=True)
            passwords.store(session, done.user_ids[0], password_hash, now())
    except LicensingError as error:
        if error.problems != (_MADE_NOBODY,):
            raise
        tell([_MADE_NOBODY.sentence])  # another was faster
    else:
        tell([f"Made the first admin: {wish.username}. Next: license-desk contract load FILE"])


def _first_admin(catalog: Catalog, username: str, name: str, email: str) -> Wish:
    admin = next(kind for kind in catalog.base.types if kind.role is Role.ADMIN)
    return Wish(username.strip(), name.strip(), email.strip(), licenses={catalog.base.key: admin.key})


def _hashed(password: str) -> tuple[str, tuple[Problem, ...]]:
    """The password's hash, or what is wrong with it."""
    from webapp.web.passwords import hash_password

    try:
        password.encode()
        return hash_password(password), ()
    except UnicodeEncodeError:
        return "", (Problem("password_encoding", "password"),)
    except LicensingError as error:
        return "", error.problems


def write_missing_secrets(path: Path) -> list[str]:
    """Write the secrets that neither the environment nor the file has; the names written."""
    if not _missing():
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
        ) as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # of two at once the second finds what the first has written
            os.fchmod(file.fileno(), 0o600)
            missing = _missing()
            file.write("\n" if missing and _last_line_is_open(path) else "")
            file.writelines(f"{name}={secrets.token_urlsafe(48)}\n" for name in missing)
    except OSError as error:
        error.filename = str(path)
        raise
    return missing


def _missing() -> list[str]:
    there = env_file_values()
    return [name for name in _SECRETS if not os.environ.get(name) and not there.get(name)]


def _last_line_is_open(path: Path) -> bool:
    """Whether a line written now would be glued to one written by hand."""
    text = path.read_bytes()
    return bool(text) and not text.endswith(b"\n")
