"""``init``: database, catalog, secrets and the first admin (S8). Safe to repeat.

The password comes from the prompt or standard input, never from an argument: those are seen by
everyone on the machine.
"""

import os
import secrets
import sys
from pathlib import Path

import click
from dotenv import dotenv_values
from flask_migrate import upgrade

from webapp.commands.common import operator_act
from webapp.database import PATIENCE, now, transaction
from webapp.licensing import users
from webapp.licensing.catalog import parse_catalog
from webapp.licensing.installation import load_catalog
from webapp.licensing.ledger import read_catalog
from webapp.licensing.plan import Wish
from webapp.settings import PREFIX, env_file, read_settings
from webapp.words import Role

_SECRETS = (f"{PREFIX}SECRET_KEY", f"{PREFIX}CHAIN_KEY")


@click.command()
@click.option("--username", help="The first admin's username.")
@click.option("--name", help="The first admin's name.")
@click.option("--email", help="The first admin's email address.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def init(username: str | None, name: str | None, email: str | None, password_stdin: bool) -> None:
    """Create the database, load the catalog, make the secrets and the first admin."""
    from webapp.factory import create_app

    made = write_missing_secrets(env_file())
    settings = read_settings()
    if made:
        click.echo(f"Wrote {' and '.join(made)} to {env_file()}.")
    click.echo(f"Database: {settings.database_words}")
    app = create_app(settings)
    with app.app_context():
        upgrade()
        with transaction(PATIENCE) as session:
            load_catalog(session, parse_catalog(settings.catalog.read_text("utf-8")))
            there = users.active_admin_exists(session)
        click.echo("The database and the catalog are up to date.")
        if there:
            click.echo("An active admin exists already; nobody was made.")
            return
        make_first_admin(
            username or click.prompt("Username of the first admin"),
            name or click.prompt("Name"),
            email or click.prompt("Email"),
            _password(password_stdin),
        )


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password (at least 15 characters)", hide_input=True, confirmation_prompt=True))


def make_first_admin(username: str, name: str, email: str, password: str) -> None:
    """Make the first admin through the one writer (S8)."""
    from webapp.web.passwords import hash_password

    password_hash = hash_password(password)
    with transaction(PATIENCE) as session:
        if users.active_admin_exists(session):
            click.echo("An active admin exists already; nobody was made.")
            return
        base = read_catalog(session).base
        admin = next(kind for kind in base.types if kind.role is Role.ADMIN)
        wish = Wish(username.strip(), name.strip(), email.strip(), licenses={base.key: admin.key})
        done = users.create(session, [wish], operator_act(), first_admin=True)
        users.store_password(session, done.user_ids[0], password_hash, now())
    click.echo(f"Made the first admin: {username}. Next: license-desk contract load FILE")


def write_missing_secrets(path: Path) -> list[str]:
    """Write the secrets that neither the environment nor the file has; the names written."""
    there = dotenv_values(path, interpolate=False)
    missing = [name for name in _SECRETS if not os.environ.get(name) and not there.get(name)]
    if not missing:
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write("\n" if _last_line_is_open(path) else "")
        for name in missing:
            file.write(f"{name}={secrets.token_urlsafe(48)}\n")
    return missing


def _last_line_is_open(path: Path) -> bool:
    """Whether a line written now would be glued to one written by hand."""
    text = path.read_bytes()
    return bool(text) and not text.endswith(b"\n")
