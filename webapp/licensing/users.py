"""Operations on users, as every door calls them. Each runs inside a transaction of its caller.

Lock, read afresh, plan again, apply: a plan made earlier was only shown, never trusted.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import exists, insert, select
from sqlalchemy.orm import Session

from webapp.licensing import assignment, ledger
from webapp.licensing.assignment import Done
from webapp.licensing.errors import LicensingError, Problem
from webapp.licensing.history import Act
from webapp.licensing.plan import Wish, plan_new_users, unconfirmed_overage
from webapp.models import Credential, LicenseType, User
from webapp.words import Role


def create(
    session: Session, wishes: Sequence[Wish], act: Act, *,
    confirmed_overage: Collection[str] = (), how_to_confirm: str = "Confirm the extra charge.",
    first_admin: bool = False,
) -> Done:  # fmt: skip
    """Create these users with their licenses, all or none (V1, V2, E1 to E4, S1 to S5).

    ``confirmed_overage``: refs of the pools whose extra charge the actor accepts (S2).
    ``first_admin``: the one exception to S2, for ``init`` alone, and only as long as there is no active
    admin (S8): asked after the locks, or two at once would both be the first.
    Raises LicensingError with every refusal; nothing is written then.
    """
    locks = assignment.lock(session, act)
    if first_admin and active_admin_exists(session):
        raise LicensingError([Problem("admin_exists", "username")])
    plan = plan_new_users(wishes, ledger.facts(session, wishes, locks.day), first_admin=first_admin)
    if problems := plan.refusals:
        raise LicensingError(problems)
    if not first_admin and (unconfirmed := unconfirmed_overage(plan, confirmed_overage, how_to_confirm)):
        raise LicensingError(unconfirmed)
    cause = "first admin" if first_admin else None
    return assignment.apply(session, plan, locks, act, cause=cause, first_admin=first_admin)


def active_admin_exists(session: Session) -> bool:
    """Whether anybody active holds a base license with the role admin."""
    admin = (
        exists()
        .where(User.base_type_id == LicenseType.id, LicenseType.role == Role.ADMIN, User.active)
    )  # fmt: skip
    return bool(session.scalar(select(admin)))


def store_password(session: Session, user_id: int, password_hash: str, moment: datetime) -> None:
    """Give a new user their first password, as its hash."""
    session.execute(insert(Credential).values(user_id=user_id, password_hash=password_hash, set_at=moment))
