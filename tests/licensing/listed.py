"""Which people a list has, answered once more: in a few lines of Python over all people."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from webapp.licensing.lists import Filters
from webapp.licensing.record import Wish
from webapp.licensing.visibility import Actor
from webapp.words import Role, Status


@dataclass(frozen=True)
class Person:
    """One person as made."""

    wish: Wish
    id: int = 0

    @property
    def base(self) -> str:
        return self.wish.licenses["vcc"]

    @cached_property
    def place(self) -> tuple[str, str]:
        return folded(self.wish.name or ""), folded(self.wish.username)

    @property
    def initial(self) -> str:
        return letter if "a" <= (letter := self.place[0][:1]) <= "z" else "#"

    def license(self, filters: Filters) -> str:
        """The ref of the license that they are listed with."""
        product = filters.product.key if filters.status is Status.ACTIVE else "vcc"
        return f"{product}/{self.wish.licenses[product]}"


def folded(text: str) -> str:
    """DESIGN's folding, written down once more."""
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", text) if not unicodedata.category(c).startswith("M")
    )
    for old, new in ("øo", "łl", "đd", "ıi"):
        bare = bare.casefold().replace(old, new)
    return bare.replace("æ", "ae").replace("œ", "oe")


def listed(
    everyone: Iterable[Person], filters: Filters, actor: Actor, groups: Mapping[str, int]
) -> list[Person]:
    """Who fits and is in view, in the list's order. ``groups``: their ids by name."""
    found = (p for p in everyone if in_view(p, actor, groups) and fits(p, filters, groups))
    return sorted(found, key=lambda person: person.place)


def in_view(person: Person, actor: Actor, groups: Mapping[str, int]) -> bool:
    if actor.role is Role.ADMIN or person.id == actor.id:
        return True
    own = {groups[name] for name in person.wish.groups or ()}
    reached = bool(own & actor.groups) or (not own and "unassigned" in actor.permissions)
    return reached and person.base != "admin"


def fits(person: Person, filters: Filters, groups: Mapping[str, int]) -> bool:
    name, username = person.place
    active = person.wish.active is not False
    if filters.status is not Status.ALL and active != (filters.status is Status.ACTIVE):
        return False
    if filters.status is Status.ACTIVE or filters.type:
        held = person.wish.licenses.get(filters.product.key)
        if not held or (filters.type and filters.type.key != held):
            return False
    if filters.group is not None and filters.group not in {groups[g] for g in person.wish.groups or ()}:
        return False
    if filters.initial and person.initial != filters.initial:
        return False
    q = filters.q
    if len(q) in (1, 2):
        return name.startswith(q) or username.startswith(q)
    return q in name or q in username
