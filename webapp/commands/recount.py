"""``recount``: every figure again from the holdings (S7)."""

import sys

import click
from flask.cli import with_appcontext

from webapp.database import db
from webapp.licensing import ledger


@click.command()
@with_appcontext
def recount() -> None:
    """Recount every pool from the holdings; exit 1 if one is off."""
    differences = ledger.recount(db.session())
    for off in differences:
        click.echo(f"{off.what}: {off.booked:,} booked, {off.counted:,} counted")
    if differences:
        sys.exit(1)
    click.echo("Every figure agrees with the holdings.")
