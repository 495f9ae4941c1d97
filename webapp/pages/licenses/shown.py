"""What the Licenses page shows, in words and addresses: values for the template, no markup.

Figures come from the pools and names from what is in view; this module mixes them only where P4
allows it: how many holders are outside the view.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Any

from webapp.licensing.availability import Figures, level, state_in_parts
from webapp.licensing.catalog import Catalog, LicenseType, Product
from webapp.licensing.lists import COUNT_CAP, Filters
from webapp.licensing.visibility import Actor
from webapp.web import format as words
from webapp.web import listing
from webapp.web.books import Books
from webapp.web.listing import Asked, Found

Pools = Mapping[str, Figures]


@dataclass(frozen=True)
class InView:
    """Holders of a product in the actor's view, by license type's ref; ``everyone``: no one hidden."""

    by_type: Mapping[str, int]
    initials: frozenset[str]
    everyone: bool

    def of(self, kind: LicenseType | None) -> int:
        """Of one type, or of all."""
        return self.by_type[kind.ref] if kind else sum(self.by_type.values())


def in_view(books: Books, filters: Filters, pools: Pools, actor: Actor) -> InView:
    """Counted for a supervisor; whoever views everyone reads the counters instead."""
    seen = books.in_view(filters, actor)
    everyone = actor.views_everyone
    by_type = {
        kind.ref: pools[kind.ref].assigned if everyone else seen.by_type.get(kind.id, 0)
        for kind in filters.product.types
    }
    return InView(by_type, seen.initials, everyone)


def products(catalog: Catalog, asked: Asked, pools: Pools) -> list[dict[str, Any]]:
    """The products on the left: the number of users holding a license of each (P4: of the account)."""
    return [
        {
            "key": product.key, "name": product.name,
            "users": sum(pools[kind.ref].assigned for kind in product.types),
            "purchased": _purchased(product, pools), "current": product == asked.filters.product,
            "url": _url(asked, product=product.key, type=None),
        }
        for product in catalog.products
    ]  # fmt: skip


def details(asked: Asked, pools: Pools, moment: datetime, zone: tzinfo) -> dict[str, Any]:
    """The figures of the chosen product: in total, and a card for each license type."""
    product = asked.filters.product
    cards = [pools[kind.ref] for kind in product.types]
    return {
        "name": product.name,
        "purchased": _purchased(product, pools),
        "contracted": sum(pool.contracted for pool in cards),
        "assigned": sum(pool.assigned for pool in cards),
        "available": sum(max(0, pool.available) for pool in cards),
        "over": [{"name": p.type.name, "count": p.over} for p in cards if p.over],
        "as_of": words.time_of_day(moment, zone),
        "as_of_iso": moment.isoformat(timespec="seconds"),
        "url": _url(asked),
        "types": [_card(asked, pool, place % listing.HUES + 1) for place, pool in enumerate(cards)],
    }


def _card(asked: Asked, pool: Figures, hue: int) -> dict[str, Any]:
    kind, selected = pool.type, pool.type == asked.filters.type
    return {
        "ref": kind.ref, "name": kind.name, "allows": kind.allows, "hue": hue,
        "contracted": pool.contracted, "assigned": pool.assigned, "available": pool.available,
        "state": state_in_parts(pool), "level": level(pool), "selected": selected,
        "fill": min(100.0, 100 * pool.assigned / pool.contracted) if pool.contracted else 100.0,
        "url": _url(asked, type=None if selected else kind.key),
    }  # fmt: skip


def filters(asked: Asked, seen: InView) -> dict[str, Any]:
    """The filter form: a chip for each type with its count in view, and what every list has."""
    chosen = asked.filters
    return {
        "type": chosen.type.key if chosen.type else "",
        "types": [
            {"key": kind.key, "name": kind.name, "count": _chip_count(seen.of(kind), seen)}
            for kind in chosen.product.types
        ],
        "total": _chip_count(seen.of(None), seen),
        **listing.shown_filters(asked, seen.initials),
    }


def _chip_count(number: int, seen: InView) -> str:
    """An admin's from the counters, a supervisor's up to the cap."""
    return words.number(number) if seen.everyone or number <= COUNT_CAP else f"{COUNT_CAP:,}+"


def users(
    catalog: Catalog, asked: Asked, pools: Pools, found: Found, seen: InView, archived: int
) -> dict[str, Any]:
    """The list but for its rows: heading, what is hidden, and what an empty one says."""
    product, kind = asked.filters.product, asked.filters.type
    assigned = sum(pools[k.ref].assigned for k in product.types if kind in (None, k))
    hidden = assigned - seen.of(kind)
    return {
        "hidden": hidden,
        "sentence": listing.sentence(asked, found, seen.of(kind), hidden, seen.everyone),
        "last_sign_in_label": f"Last {catalog.base.short} sign-in",
        "empty": None if found.page.rows else _empty(asked, hidden, seen, archived),
        **listing.shown_list(
            asked, found, partial(_url, asked), _url(asked, "licenses.export"), seen.everyone
        ),
    }


def _empty(asked: Asked, hidden: int, seen: InView, archived: int) -> dict[str, Any]:
    """What an empty list says, and the ways on."""
    kind = asked.filters.type
    what = kind.full_name if kind else asked.filters.product.name
    if asked.filters.narrowed:
        return listing.nobody_matches(asked, partial(_url, asked), archived, kind)
    ways = [("Show every license", _url(asked, type=None))] if kind else []
    if hidden and not seen.everyone:
        text = f"{words.people(hidden)} with {what}, none you can view."
        return listing.empty("Nobody you can view", text, *ways)
    text = "Whoever is given it is listed here. It is given on a user's own page."
    return listing.empty(
        f"Nobody holds {what}", text, ("Show all users", listing.address("users.everyone")), *ways
    )


def _purchased(product: Product, pools: Pools) -> bool:
    return any(pools[kind.ref].purchased for kind in product.types)


def _url(asked: Asked, endpoint: str = "licenses.product", **changes: str | None) -> str:
    """The page's address with its filters, but for the changes."""
    kind = asked.filters.type
    own = {"product": asked.filters.product.key, "type": kind.key if kind else None}
    return listing.address(endpoint, **(own | asked.arguments | changes))
