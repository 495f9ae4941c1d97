"""What the address says about a list of people, and the list as values for a template.

Unknown and damaged values of an address are ignored, never an error: it may be old or cut off. The
pages add what is theirs; this module knows none of them and decides nothing.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import cache, lru_cache
from string import ascii_uppercase
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for

from webapp.licensing import lists
from webapp.licensing.catalog import Catalog, LicenseType
from webapp.licensing.lists import COUNT_CAP, Filters, Key, Page
from webapp.licensing.statements import LONGEST_FOLD, OTHERS
from webapp.licensing.visibility import Actor
from webapp.web import format as words
from webapp.web.books import Books
from webapp.words import Status

SIZE = 50
SHEET = 12  # more groups than this need a sheet of their own
HUES = 8
_GROUPS_SHOWN = 3
_LETTERS = (*ascii_uppercase, OTHERS)
_SAFE = "!$'()*,/:;?@"  # what the addresses of a page leave as it is
_NO_FILTERS = dict.fromkeys(("q", "initial", "group", "type", "license", "status"))

Url = Callable[..., str]
"""A page's address with its filters: ``url(q=None, after=key)`` changes two and keeps the others."""


@dataclass(frozen=True)
class Asked:
    """What the address asks for, as far as it makes sense. ``typed``: the search as it was typed.

    ``after``: the rows after this one. ``seen``: all up to this one, and those after it.
    """

    filters: Filters
    typed: str
    groups: tuple[tuple[int, str], ...]
    after: Key | None
    seen: Key | None

    @property
    def group_name(self) -> str:
        """The chosen group's name, or nothing."""
        return dict(self.groups).get(self.filters.group or 0, "")

    @property
    def arguments(self) -> dict[str, str | None]:
        """The filters that all lists have, as an address writes them."""
        chosen = self.filters
        group = None if chosen.group is None else str(chosen.group)
        return {"q": self.typed, "initial": chosen.initial.upper(), "group": group}


@dataclass(frozen=True)
class Found:
    """A page of a list and its numbers. ``before``: rows before its first, as far as they are counted."""

    page: Page
    count: int
    before: int

    @property
    def capped(self) -> bool:
        """Whether there are more rows than are counted."""
        return self.count > COUNT_CAP


def read_address(books: Books, filters: Filters, actor: Actor) -> Asked:
    """The filters that every list has, added to those that the page has read itself."""
    groups = tuple(books.groups(actor))
    typed = request.args.get("q", "").strip()
    initial, group = request.args.get("initial", ""), request.args.get("group", "")
    return Asked(
        replace(
            filters,
            q=lists.folded_search(typed),
            initial=initial.lower() if initial in _LETTERS else "",
            group=next((key for key, _ in groups if str(key) == group), None),
        ),
        typed, groups, read_key(request.args.get("after", "")), read_key(request.args.get("seen", "")),
    )  # fmt: skip


def find(books: Books, asked: Asked, actor: Actor, known: int | None, *, besides: bool = False) -> Found:
    """The rows asked for. ``known``: how many the list has, if that need not be counted.

    ``besides``: with each user's other licenses.
    """
    people = books.people(asked.filters, actor, besides=besides)
    seen = min(people.count(until=asked.seen), COUNT_CAP) if asked.seen else 0
    after = None if asked.seen else asked.after
    page = people.page(after=after, size=seen + SIZE)
    # After the page, which may have told already how long the list is.
    count = people.count() if known is None else min(known, COUNT_CAP + 1)
    return Found(page, count, people.count(until=after) if after else 0)


def address(endpoint: str, *, product: str | None = None, **arguments: str | None) -> str:
    """An address with what is set of these. ``product``: where it is a part of the path."""
    query = urlencode({name: value for name, value in arguments.items() if value}, safe=_SAFE)
    path = _path(request.script_root, endpoint, product)
    return f"{path}?{query}" if query else path


@lru_cache(1000)
def _path(_root: str, endpoint: str, product: str | None) -> str:
    """Made once: a page has a dozen of them, and they take as long as to find its people."""
    return url_for(endpoint, product=product)


def shown_filters(asked: Asked, initials: frozenset[str]) -> dict[str, Any]:
    """The search box, the letters and the groups."""
    chosen = asked.filters
    letters = [
        {"letter": letter, "chosen": letter.lower() == chosen.initial, "there": letter.lower() in initials}
        for letter in _LETTERS
    ]
    return {
        "q": asked.typed, "initial": chosen.initial.upper(), "letters": letters,
        "group": chosen.group, "group_name": asked.group_name,
        "groups": [{"id": key, "name": name} for key, name in asked.groups],
        "sheet": len(asked.groups) > SHEET,
    }  # fmt: skip


def shown_list(asked: Asked, found: Found, url: Url, export_url: str, everyone: bool) -> dict[str, Any]:
    """What every list shows besides its heading and rows: its number, its end and what comes after it.

    ``everyone``: nobody and no group is out of the actor's view.
    """
    chosen = asked.filters
    chooses = chosen.narrowed or chosen.type or chosen.status is not Status.ACTIVE
    first = url()
    more, key = f"{first}{'&' if '?' in first else '?'}", found.page.next and write_key(found.page.next)
    return {
        "count": f"{COUNT_CAP}+" if found.capped else str(found.count),
        "next_url": f"{more}after={key}" if key else None,
        "grown_url": f"{more}seen={key}" if key else None,
        "first_url": first if found.before else None,
        "clear_url": url(**_NO_FILTERS) if chooses and found.count else None,
        "shown_words": _shown(found),
        "export_url": export_url if found.count else None,
        "no_group": no_group(everyone),
    }


def no_group(everyone: bool) -> str:
    """What stands for no groups. To whom some are out of view, "none" would say too much (P4)."""
    return "No group" if everyone else "No group you can view"


def shown_rows(page: Page, catalog: Catalog, moment: datetime, zone: tzinfo) -> list[dict[str, Any]]:
    """The rows of the list."""
    types = {kind.id: kind for kind in catalog.types.values()}
    colors, others, age = hues(catalog), _others(types), words.ages(moment, zone)
    # One address for all rows, as usernames need no quoting: to make it anew for each takes longer than to
    # read the row.
    home = url_for("users.one", username="-").removesuffix("-")
    return [
        {
            "username": row.username, "name": row.name, "active": row.active,
            "url": home + row.username,
            "license": types[row.license_type_id].name, "hue": colors[row.license_type_id],
            "besides": others(row.besides),
            "groups": ", ".join(row.groups[:_GROUPS_SHOWN]),
            "groups_more": max(0, len(row.groups) - _GROUPS_SHOWN),
            "last_sign_in": ago, "last_sign_in_title": in_full,
        }
        for row in page.rows
        for ago, in_full in (age(row.last_login),)
    ]  # fmt: skip


def _others(types: Mapping[int, LicenseType]) -> Callable[[str], list[str]]:
    """Names a user's other licenses, in the catalog's order; once for all with the same."""
    names = {str(key): kind.full_name for key, kind in types.items()}

    @cache
    def others(besides: str) -> list[str]:
        ids = {*besides.split()}
        return [name for key, name in names.items() if key in ids]

    return others


def hues(catalog: Catalog) -> dict[int, int]:
    """The color of each license type by its id: its place within its product."""
    return {
        kind.id: place % HUES + 1 for product in catalog.products for place, kind in enumerate(product.types)
    }


def sentence(asked: Asked, found: Found, total: int | None, hidden: int | None, everyone: bool) -> str:
    """``305``, ``42 you can view · 263 you can't view``, ``6 of the 42 you can view start with A``.

    ``total``: how many there are without search, initial and group, if that is known.
    """
    shown = f"{COUNT_CAP:,}+" if found.capped else words.number(found.count)
    outside = "" if hidden is None or everyone else f" · {words.number(hidden)} you can't view"
    if not asked.filters.narrowed:
        return (shown if everyone else f"{shown} you can view") + outside
    if total == 0:
        return f"none you can view{outside}"
    if total is not None:
        shown += f" of {words.number(total)}" if everyone else f" of the {words.number(total)} you can view"
    return f"{shown} {_fits(asked, found.count)}{outside}"


def _fits(asked: Asked, count: int) -> str:
    """What those listed have in common, for a sentence."""
    chosen, s = asked.filters, "s" if count == 1 else ""
    if chosen.initial and not chosen.q and chosen.group is None:
        letter = "another sign" if chosen.initial == OTHERS else chosen.initial.upper()
        return f"start{s} with {letter}"
    if chosen.group is not None and not chosen.q and not chosen.initial:
        return f"in {asked.group_name}"
    return "matches" if count == 1 else "match"


def _shown(found: Found) -> str:
    """What stands under the rows: how many of how many."""
    so_far = found.before + len(found.page.rows)
    if not found.page.next and not found.before:
        if found.capped:
            return "The end of the list"
        return "That is all" if found.count == 1 else f"All {words.number(found.count)} shown"
    if so_far > COUNT_CAP:
        return f"More than {COUNT_CAP:,} shown"
    of = f"more than {COUNT_CAP:,}" if found.capped else words.number(found.count)
    return f"{words.number(so_far)} of {of}{'' if found.before else ' shown'}"


def empty(title: str, text: str, *ways: tuple[str, str]) -> dict[str, Any]:
    """What an empty list says, and the ways on: a label and an address each."""
    return {"title": title, "text": text, "ways": [{"label": label, "url": url} for label, url in ways]}


def nobody_matches(asked: Asked, url: Url, archived: int, kind: LicenseType | None) -> dict[str, Any]:
    """What a list says whose filters fit nobody: why, and the ways on."""
    chosen, clear = asked.filters, []
    if asked.typed:
        clear.append(("Clear the search", url(q=None)))
    if chosen.initial or chosen.group is not None or chosen.type or chosen.status is Status.ARCHIVED:
        clear.append(("Clear all filters", url(**_NO_FILTERS)))
    if archived:
        ref = kind.ref if kind else None
        there = address("users.everyone", status=Status.ARCHIVED, license=ref, **asked.arguments)
        number = f"{COUNT_CAP:,}+" if archived > COUNT_CAP else words.number(archived)
        text = f"{number} archived {'user matches' if archived == 1 else 'users match'}."
        return empty("Nobody matches", text, (f"Show {number} archived", there), *clear)
    if asked.filters.q:
        text = "The search looks at usernames and names."
        if len(asked.filters.q) < 3:
            text += " One or two letters search only the beginning."
        return empty("Nobody matches", text, *clear)
    return empty("Nobody matches", "Change the filters, or clear them.", *clear)


def archived_too(books: Books, asked: Asked, actor: Actor) -> int:
    """How many archived people match a search that finds nobody at work."""
    filters = asked.filters
    if filters.status is not Status.ACTIVE or not filters.narrowed:
        return 0
    return books.people(replace(filters, status=Status.ARCHIVED), actor).count()


def write_key(key: Key) -> str:
    """A key as an address has it: opaque, base64url."""
    text = json.dumps([key.name_fold, key.username_fold], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_key(text: str) -> Key | None:
    """The key of an address, or None."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        values = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, list) or len(values) != 2:
        return None
    if not all(isinstance(value, str) and _storable(value) for value in values):
        return None
    return Key(*values)


def _storable(text: str) -> bool:
    """Whether a name may fold to it: a lone surrogate is no text, and what is asked for is remembered."""
    return len(text) <= LONGEST_FOLD and not any(c == "\0" or 0xD800 <= ord(c) <= 0xDFFF for c in text)
