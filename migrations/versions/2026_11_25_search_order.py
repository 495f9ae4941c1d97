"""On SQLite the search index stands nearly in the order of the lists: by name, then by user.

So the first of those found need no longer be picked from all of them. An entry's number is the first
seven letters of the name, five bits each, and 28 bits of the user's id; of a sign that is no letter from
a to z it is only known that it comes before or after these, so what follows it does not count.
"""

from collections.abc import Callable

from alembic import op

revision = "search_order"
down_revision = "offers"
branch_labels = None
depends_on = None

ROW = "rowid, name_fold, username_fold"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _make_anew("content=''", _number)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _make_anew("content='user', content_rowid='id'", lambda user: f"{user}.id")


def _number(user: str) -> str:
    """The number of a user's entry, as SQL."""
    name = f"{user}.name_fold"
    plain = f"length({name}) - length(ltrim({name}, ' {LETTERS}'))"  # so many at its beginning
    signs = (f"({plain} >= {place}) * ({_worth(name, place + 1)}) << {5 * (6 - place)}" for place in range(7))
    return f"({' | '.join(f'({sign})' for sign in signs)}) << 28 | {user}.id"


def _worth(name: str, place: int) -> str:
    sign = f"substr({name}, {place}, 1)"
    return (
        f"CASE WHEN {sign} > 'z' THEN 29 WHEN {sign} >= 'a' THEN unicode({sign}) - 94 "
        f"WHEN {sign} > ' ' THEN 2 WHEN {sign} = ' ' THEN 1 ELSE 0 END"
    )


def _make_anew(content: str, number: Callable[[str], str]) -> None:
    """The index, its triggers, and an entry of whoever is there."""
    for event in ("insert", "update", "delete"):
        op.execute(f"DROP TRIGGER user_search_{event}")
    op.execute("DROP TABLE user_search")
    op.execute(
        "CREATE VIRTUAL TABLE user_search USING fts5("
        f"name_fold, username_fold, {content}, tokenize='trigram case_sensitive 1')"
    )
    put = f"INSERT INTO user_search({ROW}) VALUES ({number('new')}, new.name_fold, new.username_fold);"
    take = (
        f"INSERT INTO user_search(user_search, {ROW}) "
        f"VALUES ('delete', {number('old')}, old.name_fold, old.username_fold);"
    )
    for event, when, does in (
        ("insert", "INSERT", put),
        ("update", "UPDATE OF name_fold, username_fold", take + put),
        ("delete", "DELETE", take),
    ):
        op.execute(f'CREATE TRIGGER user_search_{event} AFTER {when} ON "user" BEGIN {does} END')
    there = f"SELECT {number('them')}, name_fold, username_fold FROM user AS them ORDER BY 1"
    op.execute(f"INSERT INTO user_search({ROW}) {there}")
