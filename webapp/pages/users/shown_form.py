"""What the user form shows, in words and addresses: the tiles, the plan, and what is wrong where.

Values for the templates, no markup. All of it is read from the plan: no rule is decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import url_for

from webapp.licensing import rights
from webapp.licensing.availability import Figures, state_in_words
from webapp.licensing.catalog import Catalog, LicenseType, Product
from webapp.licensing.consequences import Facts
from webapp.licensing.eligibility import Situation, a, an, ineligible, ways
from webapp.licensing.errors import Problem
from webapp.licensing.plan import Plan, PoolEffect, UserPlan, unconfirmed_overage
from webapp.licensing.record import Record, Wish
from webapp.pages.users.forms import TEXTS, GroupChoice, Sent
from webapp.web import format as words
from webapp.web.fields import errors_at
from webapp.web.format import PERMISSIONS
from webapp.words import AccessLevel, ContactPadRule, Role

_FULL = "No seat left"
_SHORT = {
    "needs_base": "Not for {base}",
    "needs_contactpad": "Needs ContactPad",
    "needs_webrtc": "Needs WebRTC",
}


@dataclass(frozen=True)
class Standing:
    """The form as it stands: what was sent, what it would do, and to whom."""

    facts: Facts
    before: Record | None
    sent: Sent
    plan: Plan
    problems: Sequence[Problem]
    groups: Sequence[GroupChoice]

    @property
    def user(self) -> UserPlan | None:
        """What the plan makes of the user; None as long as nobody could say (V1)."""
        return self.plan.users[0] if self.plan.users else None

    @property
    def after(self) -> Record | None:
        """The user as they would be."""
        return self.user.after if self.user else None

    @property
    def catalog(self) -> Catalog:
        """The catalog."""
        return self.facts.catalog

    @property
    def own(self) -> bool:
        """Whether it is the actor's own record."""
        return self.before is not None and rights.is_self(self.facts.actor, self.before)


def form(it: Standing, help_: str) -> dict[str, Any]:
    """Everything but the addresses of the page."""
    texts = {name: getattr(it.sent.wish, name) for name in TEXTS}
    stored = {name: getattr(it.before, name) if it.before else "" for name in TEXTS}
    return {
        "texts": {name: stored[name] if texts[name] is None else texts[name] for name in TEXTS},
        "agent_id_fixed": bool(it.before and it.before.agent_id),
        "errors": errors_at(it.problems),
        "base": _base(it, help_),
        "products": [_product(it, product, help_) for product in it.catalog.products if not product.base],
        **_switches(it),
        "groups": _groups(it),
        "rights": _rights(it),
        "plan": _plan(it),
    }


def _chosen(it: Standing, product: Product) -> LicenseType | None:
    """The license of a product that the form would give."""
    if it.after:
        return it.after.of(product.key)
    name = it.sent.wish.licenses.get(product.key)
    return product.named(name) if name else None


def _base(it: Standing, help_: str) -> dict[str, Any]:
    """The base product's tiles, and below them what to do about those without a seat."""
    product = it.catalog.base
    held = it.before.base if it.before and it.before.active else None
    why = {kind.ref: _base_reason(it, kind, held) for kind in product.types}
    chosen = _chosen(it, product)
    if chosen and why[chosen.ref]:
        chosen = it.before.base if it.before and not why[it.before.base.ref] else None
    tiles = [_tile(it, kind, kind == chosen, why[kind.ref], kind == held) for kind in product.types]
    full = ", ".join(kind.name for kind in product.types if why[kind.ref] == _FULL)
    return {
        "field": f"license_{product.key}", "name": product.short or product.name, "tiles": tiles,
        "notes": [_full_note(full, help_)] if full else [],
    }  # fmt: skip


def _base_reason(it: Standing, kind: LicenseType, held: LicenseType | None) -> str:
    """Why this base license can't be chosen; empty if it can."""
    if it.own:
        return "" if kind == held else "Nobody changes their own license"
    if not rights.may_give(it.facts.actor, kind):
        return "Only an admin can give this"
    return "" if kind == held else _no_seat(it.facts.pools[kind.ref])


def _no_seat(pool: Figures) -> str:
    if not pool.purchased:
        return "Not purchased"
    return _FULL if pool.room == 0 else ""


def _full_note(name: str, help_: str) -> dict[str, Any]:
    way_out = Problem("no_seat", "form").way_out
    return {"text": f"{name}: no seat left. {way_out}", "more": help_, "ways": []}


def _tile(it: Standing, kind: LicenseType, chosen: bool, reason: str, held: bool) -> dict[str, Any]:
    state = reason or state_in_words(it.facts.pools[kind.ref])
    return {
        "value": kind.key, "name": kind.name, "chosen": chosen, "off": bool(reason), "held": held,
        "state": state, "lost": False,
    }  # fmt: skip


_STILL_WISHED = {"chosen": True, "off": False}
"""What was wished for and can't be stays chosen: it is an error of the form until somebody takes it off."""


def _product(it: Standing, product: Product, help_: str) -> dict[str, Any]:
    """A product's tiles, "None" first, and below them why some can't be chosen and the ways out."""
    held = next((k for k in (it.before.held if it.before else ()) if k.product == product.key), None)
    lost = {loss.what for loss in it.plan.losses}
    chosen = _chosen(it, product)
    tiles, notes = [], []
    for kind in product.types:
        problem = ineligible(kind, _situation(it.after), it.catalog) if it.after else None
        reason = _SHORT[problem.code].format(base=an(it.after.base.name)) if problem and it.after else ""
        # What isn't purchased can't be chosen whoever it is for: that is said first.
        if not it.facts.pools[kind.ref].purchased:
            problem, reason = None, "Not purchased"
        reason = reason or ("" if kind == held else _no_seat(it.facts.pools[kind.ref]))
        if problem and kind.ref in lost:
            reason = "They lose this"
        tiles.append(_tile(it, kind, kind == chosen and not reason, reason, kind == held))
        tiles[-1]["lost"] = kind.ref in lost
        if problem and kind.ref not in lost and kind.key == it.sent.wish.licenses.get(product.key):
            tiles[-1] |= _STILL_WISHED
        if problem or reason:
            notes.append(_note(it, product, kind, problem, reason, help_))
    keeps = any(tile["chosen"] or tile["lost"] for tile in tiles)
    return {
        "field": f"license_{product.key}", "name": product.name, "none": not keeps, "tiles": tiles,
        "notes": _each_once(notes),
    }  # fmt: skip


def _situation(user: Record) -> Situation:
    return Situation(user.base, user.contactpad, user.webrtc)


def _note(
    it: Standing, product: Product, kind: LicenseType, problem: Problem | None, reason: str, help_: str
) -> dict[str, Any]:
    """Why, in a sentence, and a button for each way out that this actor may take and that has a seat."""
    if reason == _FULL:
        return _full_note(kind.full_name, help_)
    if problem is None or it.after is None:
        return {"text": f"{product.name}: {reason[:1].lower()}{reason[1:]}.", "more": help_, "ways": []}
    general = replace(problem, facts={**problem.facts, "license": product.name})
    found = [way for way in ways(kind, _situation(it.after), it.catalog) if _may_take(it, way)]
    told = [_way(it, way) for way in found]
    return {"text": general.sentence, "more": general.way_out if not told else "", "ways": told}


def _may_take(it: Standing, way: Situation) -> bool:
    now = it.after and it.after.base
    if way.base == now:
        return True
    seat = not _no_seat(it.facts.pools[way.base.ref])
    return seat and not it.own and rights.may_give(it.facts.actor, way.base)


def _way(it: Standing, way: Situation) -> dict[str, str]:
    """A button that makes the form so."""
    assert it.after is not None
    values, use = {}, ""
    optional = way.base.contactpad is ContactPadRule.OPTIONAL
    if way.base != it.after.base:
        values[f"license_{it.catalog.base.key}"] = way.base.key
        pool = it.facts.pools[way.base.ref]
        left = f"{pool.available:,} left" if pool.available > 0 else "at extra charge"
        use = f"Use {way.base.name} ({left})"
    switches = (
        [("contactpad", "ContactPad")] if way.contactpad and not it.after.contactpad and optional else []
    )
    switches += [("webrtc", "WebRTC")] if way.webrtc and not it.after.webrtc else []
    values |= {name: "y" for name, _ in switches}
    names = " and ".join(name for _, name in switches)
    label = f"{use} with {names}" if use and names else use or f"Turn {names} on"
    return {"set": urlencode(values), "label": label}


def _each_once(notes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [note for place, note in enumerate(notes) if note not in notes[:place]]


def _switches(it: Standing) -> dict[str, Any]:
    """ContactPad and WebRTC: on or off, and why they can't be another (E4)."""
    after = it.after
    base = after.base if after else None
    rule = base.contactpad if base else None
    lost = {loss.what for loss in it.plan.losses}
    why = "Choose the license first"
    if base and rule is ContactPadRule.ALWAYS:
        why = f"{a(base.name)} always has it"
    elif base and rule is ContactPadRule.NEVER:
        why = f"{a(base.name)} can't have it"
    elif base:
        why = ""
    on = bool(after and after.contactpad)
    wished = rule is ContactPadRule.NEVER and bool(it.sent.wish.contactpad) and "contactpad" not in lost
    wished_webrtc = bool(it.sent.wish.webrtc and after and not after.webrtc) and "webrtc" not in lost
    return {
        "contactpad": {"on": on or wished, "off": bool(why) and not wished,
                       "why": "They lose this" if "contactpad" in lost else why,
                       # Kept for the case that another license is chosen: who has it, keeps it.
                       "kept": bool(rule is ContactPadRule.ALWAYS and it.before and it.before.contactpad)},
        "webrtc": {"on": bool(after and after.webrtc) or wished_webrtc, "off": not on and not wished_webrtc,
                   "why": "They lose this" if "webrtc" in lost else "" if on else "Needs ContactPad",
                   "way": "contactpad=y&webrtc=y" if rule is ContactPadRule.OPTIONAL and not on else ""},
    }  # fmt: skip


def _groups(it: Standing) -> dict[str, Any]:
    """The groups that the actor may change, and how many memberships stay out of their reach (P7)."""
    wish, before = it.sent.wish.groups, it.before
    chosen = set((before.groups if before else ()) if wish is None else wish)
    fixed = [g for g in (before.groups if before else ()) if not it.facts.actor.writes(g)]
    readable = {group.name for group in it.groups}
    return {
        "choices": [
            {"id": group.id, "name": group.name, "chosen": group.name in chosen}
            for group in it.groups if group.writes
        ],
        "fixed": [name for name in fixed if name in readable],
        "kept": f"and {words.people(len(fixed), 'group')} you can't change" if fixed else "",
    }  # fmt: skip


def _rights(it: Standing) -> dict[str, Any] | None:
    """A supervisor's permissions and group access (P3); None for anybody else."""
    after, actor = it.after, it.facts.actor
    if after is None or after.role is not Role.SUPERVISOR:
        return None
    offered = rights.offered_permissions(actor, it.before)
    return {
        "permissions": [
            {"value": word, "label": label, "on": word in after.permissions, "off": word not in offered}
            for word, label in PERMISSIONS.items()
        ],
        "access": [
            {
                "id": group.id, "name": group.name, "level": (after.access.get(group.name) or ""),
                "choices": _levels(rights.offered_access(actor, it.before, group.name)),
            }
            for group in it.groups
        ],
        "access_for": None if it.before else " ".join(
            str(group.id) for group in it.groups if group.name in (it.sent.wish.groups or ())
        ),
        "own": it.own,
    }  # fmt: skip


def _levels(offered: Sequence[AccessLevel]) -> list[str]:
    """What may be chosen, "no access" first; nothing if it isn't the actor's to change."""
    return ["", *(level.value for level in offered)] if offered else []


def _plan(it: Standing) -> dict[str, Any]:
    """What saving does: the plan in lines, and in one line for the bar."""
    effects = it.plan.pools
    asked = unconfirmed_overage(it.plan, (), "")
    return {
        "lines": [*map(_effect, effects), *_others(it)],
        "notes": _notes(it),
        "losses": [
            {"what": loss.what, "name": loss.name, "cause": loss.cause.sentence,
             "ticked": loss.what in it.sent.confirmed_losses}
            for loss in it.plan.losses
        ],
        "overage": [
            {"ref": e.before.type.ref, "sentence": problem.sentence,
             "ticked": e.before.type.ref in it.sent.confirmed_overage}
            for e, problem in zip((e for e in effects if e.overage), asked, strict=True)
        ],
        "bar": [_short(it, effect) for effect in effects],
    }  # fmt: skip


def _effect(effect: PoolEffect) -> dict[str, str]:
    kind, number = effect.before.type, abs(effect.net)
    name = kind.short_name
    verb = "Takes" if effect.net > 0 else "Frees"
    return {
        "text": f"{verb} {number:,} {name} {'seat' if number == 1 else 'seats'}",
        "figure": _left(effect.after),
    }


def _left(pool: Figures) -> str:
    if pool.over:
        return f"{pool.assigned:,} of {pool.contracted:,}"
    return f"{pool.available:,} of {pool.contracted:,} left"


def _short(it: Standing, effect: PoolEffect) -> dict[str, str]:
    kind = effect.before.type
    product = it.catalog.product(kind.product)
    name = kind.name if not kind.alone else (product and product.short) or kind.product_name
    if product and not product.base and not kind.alone:
        name = kind.full_name
    after = effect.after
    number = f"{after.over:,} over" if after.over else f"{after.available:,} left"
    return {"name": name, "number": number}


def _others(it: Standing) -> list[dict[str, str]]:
    """What else would be another than it is."""
    user = it.user
    if user is None:
        return []
    was, now = user.before, user.after
    lost = {loss.what for loss in user.losses}
    found = []
    if now.needs_agent_id:
        found.append("Gives ContactPad; an agent ID will be made")
    elif was and now.contactpad != was.contactpad and "contactpad" not in lost:
        found.append(f"Turns ContactPad {'on' if now.contactpad else 'off'}")
    if was and now.webrtc != was.webrtc and "webrtc" not in lost:
        found.append(f"Turns WebRTC {'on' if now.webrtc else 'off'}")
    if (
        was
        and was.role is Role.SUPERVISOR
        and now.role is not Role.SUPERVISOR
        and (was.permissions or was.access)
    ):
        found.append(f"Permissions and group access end with the license {was.base.name}")
    if was and was.active:
        texts = {"name": "name", "email": "email", "sso_external_id": "SSO external ID", "groups": "groups"}
        changed = [word for name, word in texts.items() if getattr(was, name) != getattr(now, name)]
        if now.role is Role.SUPERVISOR:
            changed += ["permissions"] if now.permissions != was.permissions else []
            changed += ["group access"] if now.access != was.access else []
        if changed:
            found.append(f"Changes {', '.join(changed)}")
    return [{"text": text, "figure": ""} for text in found]


def _notes(it: Standing) -> list[dict[str, Any]]:
    """A supervisor who can't sign in (P1), as one who was an agent until now; and the way on."""
    after = it.after
    if after is None or after.role is not Role.SUPERVISOR or "access" in after.permissions:
        return []
    name = PERMISSIONS["access"]
    values = [("permissions", word) for word in (*sorted(after.permissions), "access")]
    way = {"set": urlencode(values), "label": f"Turn {name} on"}
    may = "access" in rights.offered_permissions(it.facts.actor, it.before)
    return [{"text": f"They can't sign in here: {name} is off.", "more": "", "ways": [way] if may else []}]


def again(wish: Wish, groups: Sequence[GroupChoice]) -> str:
    """The address of a form for the next user with the same license, groups and settings."""
    values = [(f"license_{key}", name) for key, name in wish.licenses.items() if name]
    values += [(name, "y") for name in ("contactpad", "webrtc") if getattr(wish, name)]
    values += [("groups", str(group.id)) for group in groups if group.name in (wish.groups or ())]
    values += [("permissions", word) for word in sorted(wish.permissions or ())]
    for group in groups:
        if level_ := (wish.access or {}).get(group.name):
            values.append((f"access-{group.id}", level_.value))
    return f"{url_for('users.new')}?{urlencode([('plan', '1'), *values])}"
