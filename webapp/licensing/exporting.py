"""A list of people as a users file: the same columns that ``importing`` reads, in its order.

Exactly the rows of the list, and of each user only what the actor may read (P4): groups out of
view are left out. Reads only.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.licensing.catalog import Catalog
from webapp.licensing.lists import Filters, PeopleList, Row
from webapp.licensing.people import COLUMNS, PERMISSIONS
from webapp.licensing.visibility import Actor, visible_groups
from webapp.models import Group, GroupAccess, User

_AT_ONCE = 500


def users_table(
    session: Session, filters: Filters, actor: Actor, catalog: Catalog
) -> Iterator[Sequence[str]]:
    """Header and rows as texts, read piece by piece. A fixed number of queries for each piece."""
    types = {kind.id: kind for kind in catalog.types.values()}
    others = [product for product in catalog.products if not product.base]
    yield (*COLUMNS, *(product.name for product in others))
    for page in PeopleList(session, filters, actor, besides=True).pages(_AT_ONCE):
        ids = [row.user_id for row in page.rows]
        users = {user.id: user for user in session.execute(select(User.__table__).where(User.id.in_(ids)))}
        access = _access(session, ids, actor)
        for row in page.rows:
            user = users[row.user_id]
            kinds = [types[key] for key in (user.base_type_id, *map(int, row.besides.split()))]
            held = {kind.product: kind.name for kind in kinds}
            yield (
                user.username, user.name, user.email, user.sso_external_id or "", _flag(user.active),
                held[catalog.base.key], user.agent_id or "", _flag(user.contactpad),
                _flag(user.webrtc), ";".join(row.groups),
                ";".join(word for word in PERMISSIONS if word in user.permissions),
                ";".join(access[row.user_id]), _moment(row),
                *(held.get(product.key, "None") for product in others),
            )  # fmt: skip


def _access(session: Session, user_ids: Sequence[int], actor: Actor) -> dict[int, list[str]]:
    """Each supervisor's group access as a file writes it, as far as the actor may read the groups."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = session.execute(
        select(GroupAccess.user_id, GroupAccess.level, Group.name)
        .join(Group, Group.id == GroupAccess.group_id)
        .where(GroupAccess.user_id.in_(user_ids), visible_groups(actor))
        .order_by(Group.key)
    )
    for row in rows:
        found[row.user_id].append(f"{row.name}:{row.level}")
    return found


def _flag(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def _moment(row: Row) -> str:
    moment: datetime | None = row.last_login
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment else ""
