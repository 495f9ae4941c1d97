"""``password-link``: a one-time link for a first or forgotten password, also for the last admin's."""

import click
from flask import current_app, url_for
from flask.cli import with_appcontext

from webapp.commands.common import operator_act
from webapp.database import PATIENCE, transaction
from webapp.licensing import passwords
from webapp.licensing.errors import NotThereError, shown
from webapp.settings import PREFIX


@click.command("password-link")
@click.argument("username")
@with_appcontext
def password_link(username: str) -> None:
    """Make a link with which USERNAME sets a password: once, within a day. It stands on the last line."""
    try:
        with transaction(PATIENCE) as session:
            token = passwords.make_link(session, username, operator_act())
    except NotThereError:
        raise click.ClickException(f"There is no user {shown(username)}.") from None
    click.echo("Whoever opens this can set the password, once, within 24 hours. An earlier link ends.")
    with current_app.test_request_context():
        path = url_for("account.by_link", token=token)
    if not current_app.extensions["settings"].public_url:
        click.echo(f"Put the address of your License Desk before it, or set {PREFIX}PUBLIC_URL.")
    click.echo(f"{current_app.extensions['settings'].public_url}{path}")
