"""``users import``: a file of users, through the same plan as the page; all or none."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import click
from flask.cli import with_appcontext

from webapp.commands.common import operator_act, tell
from webapp.database import PATIENCE, clock, db, now, transaction
from webapp.licensing import ledger
from webapp.licensing import users as operations
from webapp.licensing.catalog import Catalog
from webapp.licensing.consequences import Facts
from webapp.licensing.errors import LicensingError, Problem, first_few, shown
from webapp.licensing.importing import UsersFile, at_columns, read_users
from webapp.licensing.plan import Plan, plan_new_users, unconfirmed_overage
from webapp.licensing.record import Wish

_HOW_TO_CONFIRM = "Run it again with --allow-overage to accept them."


@click.group()
def users() -> None:
    """Users: import them from a file."""


@users.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--allow-overage", is_flag=True, help="Accept extra charges above the contract (S2).")
@with_appcontext
def import_(file: Path, allow_overage: bool) -> None:
    """Create the users in a CSV FILE with their licenses: all of them, or none."""
    catalog = ledger.read_catalog(db.session()).loaded
    tell([f"Reading {shown(file.name)} …"])
    found = read_users(file.read_bytes(), catalog, _date_of(file))
    if found.ignored:
        tell([f"Ignored columns: {first_few([shown(name) for name in found.ignored], 20)}"])
    try:
        tell(_report(_create(found, catalog, allow_overage)))
    except LicensingError as error:
        raise LicensingError(at_columns(error.problems, catalog)) from None


def _date_of(file: Path) -> date:
    """The day the file was made; one that comes from tomorrow was made today."""
    return clock().day(datetime.fromtimestamp(min(file.stat().st_mtime, now().timestamp()), UTC))


def _create(found: UsersFile, catalog: Catalog, allow_overage: bool) -> Plan:
    """Plan it first, so that all faults are told at once and nobody waits meanwhile; then do it."""
    facts = ledger.facts(db.session(), found.wishes, clock().today())
    plan = _plan_with_progress(found.wishes, facts)
    confirmed = catalog.types if allow_overage else ()
    problems = [*found.problems, *plan.refusals]
    if problems := problems or unconfirmed_overage(plan, confirmed, _HOW_TO_CONFIRM):
        raise LicensingError(_known(found) if _all_exist(problems, found) else problems)
    tell(["Saving …"])
    with transaction(PATIENCE) as session:
        return operations.create(
            session, found.wishes, operator_act(),
            confirmed_overage=confirmed, how_to_confirm=_HOW_TO_CONFIRM,
        ).plan  # fmt: skip


def _all_exist(problems: Sequence[Problem], found: UsersFile) -> bool:
    """Whether this is a file that was imported before: one sentence says it, not one for each row."""
    rows = len(found.wishes)
    return rows > 1 and [problem.code for problem in problems] == ["username_exists"] * rows


def _known(found: UsersFile) -> list[Problem]:
    return [Problem("file_known", "file", {"number": f"{len(found.wishes):,}"})]


def _plan_with_progress(wishes: Sequence[Wish], facts: Facts) -> Plan:
    """The plan, with a bar on a terminal and nothing in a pipe."""
    hidden = not (sys.stdout and sys.stdout.isatty())
    with click.progressbar(wishes, label="Checking", hidden=hidden) as bar:
        return plan_new_users(wishes, facts, each=lambda _: bar)


def _report(plan: Plan) -> Iterator[str]:
    """What was done, with the figures after."""
    count = Counter(user.after.active for user in plan.users)
    yield f"Created {count[True]:,} active and {count[False]:,} archived users."
    if plan.new_groups:
        yield f"Created groups: {', '.join(plan.new_groups)}"
    for effect in plan.pools:
        after = effect.after
        left = f"{after.over:,} over, at extra charge" if after.over else f"{after.available:,} available"
        yield (
            f"{after.type.ref}: {effect.net:,} taken, {after.assigned:,} of "
            f"{after.contracted:,} assigned, {left}"
        )
