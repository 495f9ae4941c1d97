"""On SQLite the entries of the search index stand nearly in the order of the lists, whatever is written."""

from flask import Flask
from flask_migrate import downgrade, upgrade
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from tests.make import Make
from webapp.database import db
from webapp.models import SEARCH_IDS, User, search_place, user_search

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12) | st.text(
    st.sampled_from("ab z{`-'0é\u20ac\U0001f642李ж\x1f\x7f"), max_size=12
)


@given(NAMES, NAMES)
def test_a_name_that_comes_later_never_has_a_lower_place(one: str, other: str) -> None:
    first, second = sorted((one, other))
    assert search_place(first) <= search_place(second)
    assert search_place(second) + SEARCH_IDS < 1 << 63


def test_names_that_differ_in_their_first_seven_letters_have_different_places() -> None:
    names = ["", " a", "a", "a b", "abcdef", "abcdefg", "abcdefh", "b", "maria a", "maria b", "z", "é"]
    assert names == sorted(names)
    places = [search_place(name) for name in names]
    assert places == sorted(set(places))


def entries() -> list[int]:
    return list(db.session().scalars(select(user_search.c.rowid).order_by(user_search.c.rowid)))


def expected() -> list[int]:
    rows = db.session().execute(select(User.name_fold, User.id))
    return sorted(search_place(row.name_fold) | row.id for row in rows)


def rename(ids: list[int], folds: list[str]) -> None:
    for id_, fold in zip(ids, folds, strict=True):
        db.session().execute(update(User).where(User.id == id_).values(name_fold=fold))


def test_the_triggers_write_each_entry_where_it_is_looked_for(app: Flask, make: Make) -> None:
    ids = [user.id for user in make.users(6)]
    assert entries() == expected()

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(NAMES, min_size=len(ids), max_size=len(ids)))
    def written(folds: list[str]) -> None:
        rename(ids, folds)
        assert entries() == expected()
        db.session().rollback()

    written()


def test_the_migration_writes_the_entries_of_whoever_is_there_already(app: Flask, make: Make) -> None:
    for number, name in enumerate(("a b c d e", "Maria Gomez", "O'Brien", "Zoe{", "Жанна", "-", "María Ö")):
        make.user(f"user.{number}", name=name)
    there = entries()
    assert there == expected()
    db.session.remove()
    downgrade(revision="offers")
    assert entries() == sorted(db.session().scalars(select(User.id)))
    db.session.remove()
    upgrade()
    assert entries() == there
