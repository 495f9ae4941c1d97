"""``users import``: a file of users, through the same plan as the page; all or none."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from flask.cli import with_appcontext

from webapp.commands.common import operator_act
from webapp.database import PATIENCE, clock, db, transaction
from webapp.licensing import ledger
from webapp.licensing import users as operations
from webapp.licensing.catalog import Catalog
from webapp.licensing.errors import LicensingError
from webapp.licensing.importing import UsersFile, at_columns, read_users
from webapp.licensing.plan import Facts, Plan, Wish, plan_new_users


@click.group()
def users() -> None:
    """Users: import them from a file."""


@users.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--allow-overage", is_flag=True, help="Accept extra charges above the contract (S2).")
@with_appcontext
def import_(file: Path, allow_overage: bool) -> None:
    """Create the users in a CSV FILE with their licenses: all of them, or none."""
    catalog = ledger.read_catalog(db.session())
    as_of = clock().day(datetime.fromtimestamp(file.stat().st_mtime, UTC))
    click.echo(f"Reading {file.name} …")
    found = read_users(file.read_bytes(), catalog, as_of)
    if found.ignored:
        click.echo(f"Ignored columns: {', '.join(found.ignored)}")
    try:
        _tell(_create(found, catalog, allow_overage))
    except LicensingError as error:
        raise LicensingError(at_columns(error.problems, catalog)) from None


def _create(found: UsersFile, catalog: Catalog, allow_overage: bool) -> Plan:
    """Plan it first, so that all faults are told at once and nobody waits meanwhile; then do it."""
    facts = ledger.facts(db.session(), found.wishes, clock().today())
    plan = _plan_with_progress(found.wishes, facts)
    if problems := (*found.problems, *plan.refusals):
        raise LicensingError(problems)
    click.echo("Saving …")
    with transaction(PATIENCE) as session:
        return operations.create(
            session,
            found.wishes,
            operator_act(),
            confirmed_overage=catalog.types if allow_overage else (),
            how_to_confirm="Run it again with --allow-overage to accept them.",
        ).plan


def _plan_with_progress(wishes: Sequence[Wish], facts: Facts) -> Plan:
    """The plan, with a bar on a terminal and nothing in a pipe."""
    with click.progressbar(wishes, label="Checking") as bar:
        return plan_new_users(wishes, facts, each=lambda _: bar)


def _tell(plan: Plan) -> None:
    """What was done, with the figures after."""
    count = Counter(user.wish.active for user in plan.users)
    click.echo(f"Created {count[True]:,} active and {count[False]:,} archived users.")
    if plan.new_groups:
        click.echo(f"Created groups: {', '.join(plan.new_groups)}")
    for effect in plan.pools:
        after = effect.after
        extra = f" · {after.over:,} at extra charge" if effect.overage else ""
        click.echo(
            f"{after.type.ref}: {effect.net:,} taken, {after.assigned:,} of "
            f"{after.contracted:,} assigned, {after.available:,} available{extra}"
        )
