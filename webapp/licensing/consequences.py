"""What one wish makes of one user: the record after it, the losses, and why not (V1 to E5, P3, P7).

Pure, and about one user alone: seats, and what must be unique among all, are the plan's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from webapp.licensing import people, rights
from webapp.licensing.availability import Figures
from webapp.licensing.catalog import Catalog, LicenseType, Product
from webapp.licensing.eligibility import (
    Situation,
    a,
    an,
    contactpad_problems,
    has_contactpad,
    ineligible,
)
from webapp.licensing.errors import Problem
from webapp.licensing.record import Loss, Record, Wish
from webapp.licensing.rights import OPERATOR, Actor
from webapp.words import AccessLevel, ContactPadRule, Role

T = TypeVar("T")


@dataclass(frozen=True)
class Facts:
    """What a plan must know and can't find out itself."""

    catalog: Catalog
    pools: Mapping[str, Figures]
    usernames: frozenset[str] = frozenset()  # taken, folded
    sso_external_ids: frozenset[str] = frozenset()  # taken
    agent_ids: frozenset[str] = frozenset()  # taken
    groups: Mapping[str, str] = field(default_factory=dict)  # the names of those that exist, by key
    records: Mapping[str, Record] = field(default_factory=dict)  # of those to be changed, by folded username
    actor: Actor = OPERATOR
    other_admin: bool = False  # whether an active admin remains besides the users to be changed


@dataclass(frozen=True)
class Outcome:
    """``after`` is None if nobody could say what they would be: the base license is missing (V1)."""

    after: Record | None
    losses: tuple[Loss, ...]
    problems: tuple[Problem, ...]


def settle(wish: Wish, before: Record | None, facts: Facts) -> Outcome:
    """One wish under all rules that look at one user only; ``before`` is None for a new one."""
    catalog, actor = facts.catalog, facts.actor
    if before and before.active and wish.active is False:
        return _archived(before, actor)
    wish, problems = _each_group_once(wish, facts.groups)
    problems += _shape(wish, before)
    types, unknown = _license_types(wish, before, catalog)
    problems += unknown
    if not types:
        return Outcome(None, (), tuple(problems))
    situation, losses = _contactpad(wish, before, types[0], problems)
    kept, lost = _eligible(types, before, situation, catalog, problems)
    losses += lost
    comes_back = before and not before.active and wish.active
    had = rights.given_back(actor, before) if before and comes_back else before
    permissions, access = _supervising(wish, had, types[0], actor, problems)
    record = before or Record(wish.username, "", "", "", True, types, False, False, "")
    after = replace(
        record,
        name=_given(wish.name, record.name),
        email=_given(wish.email, record.email),
        sso_external_id=_given(wish.sso_external_id, record.sso_external_id),
        active=_given(wish.active, record.active),
        licenses=kept,
        contactpad=situation.contactpad,
        webrtc=situation.webrtc,
        agent_id=record.agent_id or wish.agent_id or "",
        groups=rights.groups_after(actor, before, _given(wish.groups, record.groups)),
        permissions=permissions,
        access=access,
        last_login=_given(wish.last_login, record.last_login),
        last_login_as_of=_given(wish.last_login_as_of, record.last_login_as_of),
    )
    problems += _agent_id(wish, before, after)
    problems += rights.refusals(actor, before, after)
    return Outcome(after, tuple(losses), tuple(problems))


def _given(value: T | None, otherwise: T) -> T:
    return otherwise if value is None else value


def _archived(before: Record, actor: Actor) -> Outcome:
    """S1: what they held becomes the offer; nothing else changes."""
    after = replace(before, active=False)
    return Outcome(after, (), tuple(rights.refusals(actor, before, after)))


def _shape(wish: Wish, before: Record | None) -> Iterator[Problem]:
    """The shape of what is new in the wish: what stands in the record already is not asked about again."""
    found: list[Problem | None] = [None if before else people.check_username(wish.username)]
    for name, check in (
        ("name", people.check_name), ("email", people.check_email),
        ("sso_external_id", people.check_sso_external_id), ("agent_id", people.check_agent_id),
    ):  # fmt: skip
        value = getattr(wish, name)
        if before is None or (value is not None and value != getattr(before, name)):
            found.append(check(value or ""))
    names = dict.fromkeys((*(wish.groups or ()), *(wish.access or ())))
    found += [people.check_group_name(name) for name in names]
    found += [people.check_permission(word) for word in sorted(wish.permissions or ())]
    return (problem for problem in found if problem)


def _each_group_once(wish: Wish, known: Mapping[str, str]) -> tuple[Wish, list[Problem]]:
    """The wish with each group once, named as the group is; a new one as its first mention spells it.

    The same group with read and with write is a problem: nobody could say which is meant.
    """
    if not wish.groups and not wish.access:
        return wish, []
    names: dict[str, str] = {}
    for name in (*(wish.groups or ()), *(wish.access or ())):
        key = people.group_key(name.strip())
        names.setdefault(key, known.get(key, name.strip()))
    access: dict[str, AccessLevel] = {}
    problems = []
    for asked, level in (wish.access or {}).items():
        name = names[people.group_key(asked.strip())]
        if access.setdefault(name, level) is not level:
            problems.append(Problem("access_twice", "access", {"value": name}))
    groups = tuple(dict.fromkeys(names[people.group_key(name.strip())] for name in wish.groups or ()))
    return replace(
        wish,
        groups=None if wish.groups is None else groups,
        access=None if wish.access is None else access,
    ), problems


def _license_types(
    wish: Wish, before: Record | None, catalog: Catalog
) -> tuple[tuple[LicenseType, ...], list[Problem]]:
    """The license types wished for, base first; empty if the base license is missing (V1, V2)."""
    problems: list[Problem] = []
    types: list[LicenseType] = []
    for product in catalog.products:
        name = wish.licenses.get(product.key)
        if name is None:
            kind = before.of(product.key) if before else None
        else:
            kind = product.named(name) if name else None
        if kind:
            types.append(kind)
        elif name or product.base:
            problems.append(_no_such_license(product, name or ""))
    return (tuple(types) if types and types[0].product == catalog.base.key else ()), problems


def _no_such_license(product: Product, name: str) -> Problem:
    facts = {"product": product.name, "value": name, "choices": product.choices}
    if not product.base:
        return Problem("product_license_unknown", f"license_{product.key}", facts)
    code = "license_unknown" if name else "license_missing"
    return Problem(code, f"license_{product.key}", facts)


def _contactpad(
    wish: Wish, before: Record | None, base: LicenseType, problems: list[Problem]
) -> tuple[Situation, list[Loss]]:
    """ContactPad and WebRTC as they will be (E4), and what of it is lost (E5).

    What the base license can't have is lost, asked for or not; what the wish takes off is no loss.
    """
    had, had_webrtc = (before.contactpad, before.webrtc) if before and before.active else (False, False)
    stored = before.contactpad if before else None
    wanted = stored if wish.contactpad is None else wish.contactpad
    webrtc = bool(before and before.webrtc) if wish.webrtc is None else wish.webrtc
    never = base.contactpad is ContactPadRule.NEVER
    contactpad = has_contactpad(base, wanted)
    losses = []
    if never and had:
        cause = Problem("contactpad_never", "contactpad", {"base": a(base.name)})
        losses.append(Loss("contactpad", "ContactPad", cause))
    if not contactpad and had_webrtc and (webrtc or never):
        way = {"contactpad_way": ""}
        losses.append(Loss("webrtc", "WebRTC", Problem("webrtc_without_contactpad", "webrtc", way)))
    asked = wish.contactpad if not (never and had) else None
    problems += contactpad_problems(base, asked, contactpad, webrtc and not had_webrtc)
    return Situation(base, contactpad, webrtc and contactpad), losses


def _eligible(
    types: tuple[LicenseType, ...], before: Record | None, now: Situation, catalog: Catalog,
    problems: list[Problem],
) -> tuple[tuple[LicenseType, ...], list[Loss]]:  # fmt: skip
    """The licenses that can be held then. What is held and isn't eligible is lost (E5), else refused."""
    held = before.held if before else ()
    kept, losses = [types[0]], []
    for kind in types[1:]:
        problem = ineligible(kind, now, catalog)
        if problem is None:
            kept.append(kind)
        elif kind in held:
            losses.append(Loss(kind.ref, kind.full_name, problem))
        else:
            problems.append(problem)
    return tuple(kept), losses


def _supervising(
    wish: Wish, before: Record | None, base: LicenseType, actor: Actor, problems: list[Problem]
) -> tuple[frozenset[str], Mapping[str, AccessLevel]]:
    """Permissions and group access (P3): a supervisor's alone; they end with that license."""
    permissions, access = wish.permissions, wish.access
    if base.role is not Role.SUPERVISOR:
        if (permissions or access) and not (before and before.role is Role.SUPERVISOR):
            problems.append(Problem("permissions_supervisor", "permissions", {"base": an(base.name)}))
        return frozenset(), {}
    if before is None:  # as a new one starts, in each of the two for itself
        start = frozenset({"access"}) if actor.may("access") else frozenset()
        permissions = start if permissions is None else permissions
        own = rights.groups_after(actor, None, wish.groups or ())
        access = dict.fromkeys(own, AccessLevel.READ) if access is None else access
    return (
        before.permissions if before and permissions is None
        else rights.permissions_after(actor, before, permissions or frozenset(), problems),
        before.access if before and access is None
        else rights.access_after(actor, before, access or {}, problems),
    )  # fmt: skip


def _agent_id(wish: Wish, before: Record | None, after: Record) -> Iterator[Problem]:
    """Only with ContactPad; once set it is fixed, and stays reserved while ContactPad is off."""
    if before and before.agent_id:
        if wish.agent_id and wish.agent_id != before.agent_id:
            yield Problem("agent_id_fixed", "agent_id", {"value": before.agent_id})
    elif wish.agent_id and not after.contactpad:
        yield Problem("agent_id_without_contactpad", "agent_id")
