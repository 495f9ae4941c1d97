"""The plan: what a change would do, before anything is done.

Every door builds one from wishes and facts, shows it, and hands it to ``assignment``. Pure: the
facts are read elsewhere, and read again inside the transaction. A rule is written here or in
``eligibility`` and ``availability``, and nowhere else.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from operator import attrgetter

from webapp.licensing import people
from webapp.licensing.availability import Figures, Verdict
from webapp.licensing.catalog import Catalog, LicenseType, Product
from webapp.licensing.eligibility import (
    Situation,
    a,
    contactpad_problems,
    has_contactpad,
    ineligible,
)
from webapp.licensing.errors import Problem, first_few
from webapp.words import AccessLevel, Role


@dataclass(frozen=True)
class Wish:
    """What a door asks for one new user. Licenses are names or keys, by product key.

    None means "as a new user starts" (P3, E4); ``line`` is the line of a file.
    """

    username: str
    name: str
    email: str
    sso_external_id: str = ""
    active: bool = True
    licenses: Mapping[str, str] = field(default_factory=dict)
    contactpad: bool | None = None
    webrtc: bool = False
    agent_id: str = ""
    groups: tuple[str, ...] = ()
    permissions: frozenset[str] | None = None
    access: Mapping[str, AccessLevel] | None = None
    last_login: datetime | None = None
    last_login_as_of: date | None = None  # the date of the file that told it
    line: int | None = None


@dataclass(frozen=True)
class Facts:
    """What the plan must know and can't find out itself."""

    catalog: Catalog
    pools: Mapping[str, Figures]
    usernames: frozenset[str] = frozenset()  # taken, folded
    sso_external_ids: frozenset[str] = frozenset()  # taken
    agent_ids: frozenset[str] = frozenset()  # taken
    groups: frozenset[str] = frozenset()  # keys of the groups that exist


@dataclass(frozen=True)
class NewUser:
    """A user as the plan would create them: the wish, settled by the rules."""

    wish: Wish
    base: LicenseType
    licenses: tuple[LicenseType, ...]  # base first; held if active, offered if archived (S1)
    contactpad: bool
    permissions: frozenset[str]
    access: Mapping[str, AccessLevel]


@dataclass(frozen=True)
class PoolEffect:
    """What the plan does to one pool: the net of all its steps (S3)."""

    before: Figures
    net: int

    @property
    def after(self) -> Figures:
        """The pool as it will be."""
        return self.before.after(self.net)

    @property
    def verdict(self) -> Verdict:
        """Within, overage, or refused (S2)."""
        return self.before.verdict(self.net)

    @property
    def overage(self) -> bool:
        """Whether the plan takes seats at extra charge."""
        return self.verdict is Verdict.OVERAGE


@dataclass(frozen=True)
class Plan:
    """All that would happen: users, new groups, effects on the pools; or why it can't."""

    users: tuple[NewUser, ...]
    new_groups: tuple[str, ...]
    pools: tuple[PoolEffect, ...]
    refusals: tuple[Problem, ...]

    @property
    def overage(self) -> frozenset[str]:
        """The pools whose overage the actor must confirm (S2)."""
        return frozenset(effect.before.type.ref for effect in self.pools if effect.overage)


def plan_new_users(
    wishes: Sequence[Wish],
    facts: Facts,
    *,
    first_admin: bool = False,
    each: Callable[[Iterable[Wish]], Iterable[Wish]] = iter,
) -> Plan:
    """The plan for creating these users together (V1, V2, E1 to E4, S1 to S3, P3).

    ``first_admin`` waives S2 for the very first admin and nothing else (S8). ``each`` goes over
    the wishes; a door that shows progress passes its own.
    """
    refusals: list[Problem] = list(_taken(wishes, facts))
    users: list[NewUser] = []
    for wish in each(wishes):
        user, problems = _settle(wish, facts.catalog)
        refusals += [replace(problem, line=wish.line) for problem in problems]
        if user and people.fold(wish.username) not in facts.usernames:
            users.append(user)
    pools = _pool_effects(users, facts)
    if not first_admin:
        refusals += _seat_problems(users, pools)
    refusals.sort(key=lambda problem: problem.line or 0)
    return Plan(tuple(users), _new_groups(users, facts), pools, tuple(refusals))


def _settle(wish: Wish, catalog: Catalog) -> tuple[NewUser | None, list[Problem]]:
    """One wish under the rules that look at one user only."""
    wish, problems = _each_group_once(wish)
    checks = (
        people.check_username(wish.username),
        people.check_name(wish.name),
        people.check_email(wish.email),
        people.check_sso_external_id(wish.sso_external_id),
        people.check_agent_id(wish.agent_id),
        *(people.check_group_name(name) for name in dict.fromkeys((*wish.groups, *(wish.access or ())))),
        *(people.check_permission(word) for word in sorted(wish.permissions or ())),
    )
    problems += [problem for problem in checks if problem]
    types, unknown = _license_types(wish, catalog)
    problems += unknown
    if not types:
        return None, problems
    base = types[0]
    contactpad = has_contactpad(base, wish.contactpad)
    now = Situation(base, contactpad, wish.webrtc)
    problems += contactpad_problems(base, wish.contactpad, wish.webrtc)
    problems += [p for p in (ineligible(kind, now, catalog) for kind in types[1:]) if p]
    if wish.agent_id and not contactpad:
        problems.append(Problem("agent_id_without_contactpad", "agent_id"))
    permissions, access = wish.permissions, wish.access
    if base.role is Role.SUPERVISOR:  # P3: how a new one starts, in each of the two for itself
        permissions = frozenset({"access"}) if permissions is None else permissions
        access = dict.fromkeys(wish.groups, AccessLevel.READ) if access is None else access
    elif permissions or access:
        problems.append(Problem("permissions_supervisor", "permissions", {"base": _an(base.name)}))
    user = NewUser(wish, base, types, contactpad, permissions or frozenset(), access or {})
    return user, problems


def _each_group_once(wish: Wish) -> tuple[Wish, list[Problem]]:
    """The wish with its groups' names trimmed and each group once, as its first mention spells it.

    The same group with read and with write is a problem: nobody could say which is meant.
    """
    names: dict[str, str] = {}
    for name in (*wish.groups, *(wish.access or ())):
        names.setdefault(people.group_key(name.strip()), name.strip())
    access: dict[str, AccessLevel] = {}
    problems = []
    for asked, level in (wish.access or {}).items():
        name = names[people.group_key(asked.strip())]
        if access.setdefault(name, level) is not level:
            problems.append(Problem("access_twice", "access", {"value": name}))
    groups = tuple(dict.fromkeys(names[people.group_key(name.strip())] for name in wish.groups))
    return replace(wish, groups=groups, access=None if wish.access is None else access), problems


def _an(name: str) -> str:
    """The name with its article inside a sentence: ``an Agent``, ``a Supervisor``."""
    return a(name)[:1].lower() + a(name)[1:]


def _license_types(wish: Wish, catalog: Catalog) -> tuple[tuple[LicenseType, ...], list[Problem]]:
    """The license types wished for, base first; empty if the base license is missing (V1, V2)."""
    problems: list[Problem] = []
    types: list[LicenseType] = []
    for product in catalog.products:
        name = wish.licenses.get(product.key, "")
        kind = product.named(name) if name else None
        if kind:
            types.append(kind)
        elif name or product.base:
            problems.append(_no_such_license(product, name))
    return (tuple(types) if types and types[0].product == catalog.base.key else ()), problems


def _no_such_license(product: Product, name: str) -> Problem:
    facts = {"product": product.name, "value": name, "choices": product.choices}
    if not product.base:
        return Problem("product_license_unknown", f"license_{product.key}", facts)
    code = "license_unknown" if name else "license_missing"
    return Problem(code, f"license_{product.key}", facts)


def _taken(wishes: Sequence[Wish], facts: Facts) -> Iterator[Problem]:
    """What must be unique, against what is there and within the wishes themselves."""
    new = [wish for wish in wishes if people.fold(wish.username) not in facts.usernames]
    for wish in wishes:
        if people.fold(wish.username) in facts.usernames:
            code = "username_exists" if wish.line else "username_taken"
            yield Problem(code, "username", {"value": wish.username}, wish.line)
    yield from _used_twice(wishes, "username", lambda wish: people.fold(wish.username))
    for name, taken in (("sso_external_id", facts.sso_external_ids), ("agent_id", facts.agent_ids)):
        yield from _used_twice(new, name, attrgetter(name))
        for wish in new:
            if (value := getattr(wish, name)) in taken:
                yield Problem(f"{name}_taken", name, {"value": value}, wish.line)


def _used_twice(wishes: Sequence[Wish], name: str, key: Callable[[Wish], str]) -> Iterator[Problem]:
    """The same value wished for by more than one: a problem of each."""
    found: dict[str, list[Wish]] = defaultdict(list)
    for wish in wishes:
        if key(wish):
            found[key(wish)].append(wish)
    for same in found.values():
        if len(same) > 1:
            lines = first_few([wish.line for wish in same])
            for wish in same:
                facts = {"value": getattr(wish, name), "lines": lines}
                yield Problem(f"{name}_twice", name, facts, wish.line)


def _new_groups(users: Iterable[NewUser], facts: Facts) -> tuple[str, ...]:
    """Groups named but not there yet, each once, in the order they come."""
    new: dict[str, str] = {}
    for user in users:
        for name in (*user.wish.groups, *user.access):
            if (key := people.group_key(name)) not in facts.groups:
                new.setdefault(key, name)
    return tuple(new.values())


def _pool_effects(users: Iterable[NewUser], facts: Facts) -> tuple[PoolEffect, ...]:
    """The net effect on each pool that is touched, in the catalog's order (S1, S3)."""
    net = Counter(kind.ref for user in users if user.wish.active for kind in user.licenses)
    return tuple(PoolEffect(facts.pools[ref], net[ref]) for ref in facts.catalog.types if net[ref])


def _seat_problems(users: Sequence[NewUser], pools: Iterable[PoolEffect]) -> Iterator[Problem]:
    """S2, and E3's "must have been purchased", for each pool that can't give what is asked."""
    for effect in pools:
        pool, kind = effect.before, effect.before.type
        where = f"license_{kind.product}"
        if not pool.purchased:
            lines = [u.wish.line for u in users if u.wish.active and kind in u.licenses]
            facts = {"license": kind.full_name}
            yield from (Problem("not_purchased", where, facts, line) for line in lines)
        elif effect.verdict is Verdict.REFUSED:
            yield Problem("no_seat", where, _seat_facts(effect))


def _seat_facts(effect: PoolEffect) -> dict[str, object]:
    pool, room = effect.before, effect.before.room or 0
    overage = f"; up to {pool.max_overage:,} above it at extra charge" if pool.max_overage else ""
    return {
        "license": pool.type.full_name,
        "wanted": f"{effect.net:,} {'seat' if effect.net == 1 else 'seats'} wanted",
        "room": f"{room:,} can be given" if room else "none can be given",
        "missing": f"{effect.net - room:,}",
        "contracted": f"{pool.contracted:,}",
        "assigned": f"{pool.assigned:,}",
        "overage": overage,
    }


def unconfirmed_overage(plan: Plan, confirmed: Collection[str], confirm: str) -> list[Problem]:
    """One problem for each pool whose extra charge nobody confirmed (S2). ``confirm``: how to."""
    return [
        Problem(
            "overage_unconfirmed",
            f"license_{effect.before.type.product}",
            {
                "license": effect.before.type.full_name,
                "after": f"{effect.after.assigned:,}",
                "contracted": f"{effect.before.contracted:,}",
                "confirm": confirm,
            },
        )
        for effect in plan.pools
        if effect.overage and effect.before.type.ref not in confirmed
    ]


def gets_agent_id(user: NewUser) -> bool:
    """Whether an agent ID must be made: ContactPad, and none given."""
    return user.contactpad and not user.wish.agent_id
