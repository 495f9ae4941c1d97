"""What the Licenses page shows, in words and addresses: values for the template, no markup.

Figures come from the pools and names from what is in view; this module mixes them only where P4
allows it: how many holders are outside the view.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from flask import request, url_for
from sqlalchemy.orm import Session

from webapp.licensing import holders
from webapp.licensing.availability import Figures, level, state_in_words
from webapp.licensing.catalog import Catalog, LicenseType, Product
from webapp.licensing.holders import COUNT_CAP, Filters, Page
from webapp.licensing.visibility import Actor
from webapp.web import format as words
from webapp.web.listing import write_key

_HUES = 8
_GROUPS_SHOWN = 3

Pools = Mapping[str, Figures]


@dataclass(frozen=True)
class InView:
    """Holders of a product in the actor's view, by license type's ref; ``everyone``: no one hidden."""

    by_type: Mapping[str, int]
    everyone: bool

    def of(self, kind: LicenseType | None) -> int:
        """Of one type, or of all."""
        return self.by_type[kind.ref] if kind else sum(self.by_type.values())


def in_view(session: Session, product: Product, pools: Pools, actor: Actor) -> InView:
    """Counted for a supervisor; whoever views everyone reads the counters instead."""
    if actor.views_everyone:
        return InView({kind.ref: pools[kind.ref].assigned for kind in product.types}, True)
    counted = holders.count_in_view(session, product, actor)
    return InView({kind.ref: counted.get(kind.id, 0) for kind in product.types}, False)


def products(catalog: Catalog, chosen: Product, pools: Pools) -> list[dict[str, Any]]:
    """The products on the left: the number of users holding a license of each (P4: of the account)."""
    return [
        {
            "key": product.key, "name": product.name,
            "users": sum(pools[kind.ref].assigned for kind in product.types),
            "purchased": _purchased(product, pools), "current": product == chosen,
            "url": _url(product, q=request.args.get("q")),
        }
        for product in catalog.products
    ]  # fmt: skip


def details(
    product: Product, pools: Pools, filters: Filters, moment: datetime, zone: tzinfo
) -> dict[str, Any]:
    """The figures of the chosen product: in total, and a card for each license type."""
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
        "url": _url(product, q=request.args.get("q"), type=_key(filters.type)),
        "types": [_card(pool, hue, filters) for hue, pool in enumerate(cards)],
    }


def _card(pool: Figures, position: int, filters: Filters) -> dict[str, Any]:
    kind, selected = pool.type, pool.type == filters.type
    return {
        "ref": kind.ref, "name": kind.name, "allows": kind.allows, "hue": position % _HUES + 1,
        "contracted": pool.contracted, "assigned": pool.assigned, "available": pool.available,
        "state": state_in_words(pool), "level": level(pool), "selected": selected,
        "fill": min(100.0, 100 * pool.assigned / pool.contracted) if pool.contracted else 100.0,
        "url": _url(filters.product, q=request.args.get("q"), type=None if selected else kind.key),
    }  # fmt: skip


def filters(product: Product, seen: InView, chosen: Filters) -> dict[str, Any]:
    """The filter form: a chip for each type with its count in view, and the search box."""
    return {
        "type": chosen.type.key if chosen.type else "",
        "types": [{"key": kind.key, "name": kind.name, "count": seen.of(kind)} for kind in product.types],
        "total": seen.of(None),
        "q": request.args.get("q", "").strip(),
    }


def users(
    base: Product, product: Product, pools: Pools, chosen: Filters, found: Page, seen: InView, count: int,
    moment: datetime, zone: tzinfo,
) -> dict[str, Any]:  # fmt: skip
    """The list: its heading, its rows, and the address of the next ones."""
    assigned = sum(pools[k.ref].assigned for k in product.types if chosen.type in (None, k))
    hidden = assigned - seen.of(chosen.type)
    hues = {kind.id: (kind, position % _HUES + 1) for position, kind in enumerate(product.types)}
    address = {"q": request.args.get("q"), "type": _key(chosen.type)}
    return {
        "count": "1000+" if count > COUNT_CAP else str(count),
        "hidden": hidden,
        "sentence": _sentence(chosen, count, hidden, seen),
        "rows": [
            {
                "username": row.username, "name": row.name, "url": None,
                "license": hues[row.license_type_id][0].name, "hue": hues[row.license_type_id][1],
                "groups": ", ".join(row.groups[:_GROUPS_SHOWN]),
                "groups_more": max(0, len(row.groups) - _GROUPS_SHOWN),
                "last_sign_in": words.ago(row.last_login, moment, zone),
                "last_sign_in_title": words.full_moment(row.last_login, zone),
            }
            for row in found.rows
        ],
        "next_url": _url(product, **address, after=write_key(found.next)) if found.next else None,
        "last_sign_in_label": f"Last {base.short} sign-in",
        "shown_words": _shown(found, count),
        **_empty(chosen, hidden, seen),
    }  # fmt: skip


def _sentence(chosen: Filters, count: int, hidden: int, seen: InView) -> str:
    """``42 you can view · 263 you can't``; with a search ``3 of 42 match``."""
    shown = "1,000+" if count > COUNT_CAP else words.number(count)
    total = words.number(seen.of(chosen.type))
    outside = "" if seen.everyone else f" · {words.number(hidden)} you can't view"
    if chosen.q:
        of = total if seen.everyone else f"{total} you can view"
        return f"{shown} of {of} match{'es' if count == 1 else ''}{outside}"
    return shown if seen.everyone else f"{shown} you can view{outside}"


def _shown(found: Page, count: int) -> str:
    """What stands under the rows: whether they are all."""
    if found.next:
        return f"Of {'more than 1,000' if count > COUNT_CAP else words.number(count)}"
    return f"All {words.number(count)} shown" if count <= COUNT_CAP else "The end of the list"


def _empty(chosen: Filters, hidden: int, seen: InView) -> dict[str, Any]:
    """What an empty list says, and the way on."""
    what = chosen.type.full_name if chosen.type else chosen.product.name
    if chosen.q:
        return {
            "empty_title": "Nobody matches",
            "empty_text": "The search looks at usernames and names; one or two letters find how they begin.",
            "empty_url": _url(chosen.product, type=_key(chosen.type)),
            "empty_label": "Clear the search",
        }
    nobody = {
        "empty_title": f"Nobody holds {what}",
        "empty_text": "Whoever gets this license is listed here.",
        "empty_url": None, "empty_label": "",
    }  # fmt: skip
    if hidden and not seen.everyone:
        nobody["empty_title"] = "Nobody you can view"
        nobody["empty_text"] = f"{words.people(hidden)} with {what}, none you can view."
    return nobody


def _purchased(product: Product, pools: Pools) -> bool:
    return any(pools[kind.ref].purchased for kind in product.types)


def _key(kind: LicenseType | None) -> str | None:
    return kind.key if kind else None


def _url(product: Product, **arguments: str | None) -> str:
    """The page's address with the filters that are set."""
    given: dict[str, Any] = {name: value for name, value in arguments.items() if value}
    return url_for("licenses.product", product=product.key, **given)
