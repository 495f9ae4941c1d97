"""A schema as values, so that two can be compared and a difference read."""

import re

from sqlalchemy import Engine, inspect, text

_TRIGGERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname || ' ' || tgrelid::regclass, pg_get_triggerdef(oid) "
    "FROM pg_trigger WHERE NOT tgisinternal",
}
_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
}
_FUNCTIONS = (
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
    "AND oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'e')"  # not those of an extension
)


def tables(engine: Engine) -> dict[str, dict[str, object]]:
    """Every table but Alembic's own: columns, keys, checks."""
    looking = inspect(engine)
    return {
        table: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], getattr(column["type"], "collation", None))
                for column in looking.get_columns(table)
            ],
            "primary key": looking.get_pk_constraint(table),
            "foreign keys": sorted(map(str, looking.get_foreign_keys(table))),
            "unique": sorted(map(str, looking.get_unique_constraints(table))),
            "checks": sorted(map(str, looking.get_check_constraints(table))),
        }
        for table in looking.get_table_names()
        if table != "alembic_version"
    }  # fmt: skip


def indexes(engine: Engine) -> dict[str, str]:
    """Every index as the statement that makes it, so that its condition and order count too."""
    found = _named(engine, _INDEXES[engine.dialect.name])
    return {name: sql for name, sql in found.items() if "alembic_version" not in name}


def triggers(engine: Engine) -> dict[str, str]:
    """Every trigger as the statement that makes it."""
    return _named(engine, _TRIGGERS[engine.dialect.name])


def functions(engine: Engine) -> dict[str, str]:
    """On PostgreSQL the functions that triggers call."""
    return _named(engine, _FUNCTIONS) if engine.dialect.name == "postgresql" else {}


def everything(engine: Engine) -> tuple[object, ...]:
    """All of it."""
    return tables(engine), indexes(engine), triggers(engine), functions(engine)


def _named(engine: Engine, question: str) -> dict[str, str]:
    with engine.connect() as connection:
        rows = connection.execute(text(question)).all()
    return {name: re.sub(r"\s+", " ", sql) for name, sql in rows}
