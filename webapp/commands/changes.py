"""``changes``: whether the change log is as it was written."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from webapp.database import db
from webapp.licensing import history


@click.group()
def changes() -> None:
    """The record of changes."""


@changes.command()
@click.option(
    "--anchor", metavar="NUMBER:HASH", help="The last line of an earlier run: was anything cut off?"
)
@with_appcontext
def verify(anchor: str | None) -> None:
    """Check the chain of the change log; exit 1 and the first bad number if it is broken."""
    session = db.session()
    broken = history.verify(session, current_app.extensions["settings"].chain_key.encode())
    if broken is None and anchor:
        number, _, noted = anchor.partition(":")
        if not number.isdecimal() or not noted:
            raise click.BadParameter("write it as it was printed, such as 12:ab34…", param_hint="--anchor")
        if history.hash_of(session, int(number)) != noted:
            broken = history.Broken(int(number), "is not the one that was noted: it was cut off or replaced")
    if broken:
        click.echo(f"Change {broken.seq} {broken.why}.")
        sys.exit(1)
    last = history.newest(session)
    click.echo(f"{last:,} changes, each as it was written.")
    if last:
        click.echo("Keep the next line elsewhere; --anchor with it shows later that nothing was cut off.")
        click.echo(f"{last}:{history.hash_of(session, last)}")
