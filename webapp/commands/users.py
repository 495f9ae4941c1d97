"""``users import``: a file of users, through the same plan as the page; all or none."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click
from flask.cli import with_appcontext

from webapp.commands.common import operator_act, refusals_told
from webapp.database import clock, db, transaction
from webapp.licensing import ledger
from webapp.licensing import users as operations
from webapp.licensing.errors import LicensingError
from webapp.licensing.importing import read_users
from webapp.licensing.plan import Plan, plan_new_users


@click.group()
def users() -> None:
    """Users: import them from a file."""


@users.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--allow-overage", is_flag=True, help="Accept extra charges above the contract (S2).")
@with_appcontext
def import_(file: Path, allow_overage: bool) -> None:
    """Create the users in a CSV FILE with their licenses: all of them, or none."""
    with refusals_told():
        session, time = db.session(), clock()
        catalog = ledger.read_catalog(session)
        as_of = time.day(datetime.fromtimestamp(file.stat().st_mtime, UTC))
        click.echo(f"Reading {file.name} …")
        found = read_users(file.read_bytes(), catalog, as_of)
        if found.ignored:
            click.echo(f"Ignored columns: {', '.join(found.ignored)}")
        plan = _plan_with_progress(found.wishes, ledger.facts(session, found.wishes, time.today()))
        if problems := (*found.problems, *plan.refusals):
            raise LicensingError(sorted(problems, key=lambda problem: problem.line or 0))
        click.echo("Saving …")
        with transaction() as writing:
            done = operations.create(
                writing, found.wishes, operator_act(),
                confirmed_overage=catalog.types if allow_overage else (),
                how_to_confirm="Run it again with --allow-overage to accept them.",
            )  # fmt: skip
    _tell(done.plan)


def _plan_with_progress(wishes, facts) -> Plan:  # type: ignore[no-untyped-def]
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
