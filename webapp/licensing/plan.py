"""The plan: what a change would do, before anything is done.

Every door builds one from wishes and facts, shows it, and hands it to ``assignment``. Pure: the
facts are read elsewhere, and read again inside the transaction. A rule is written here or in
``eligibility`` and ``availability``, and nowhere else.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from webapp.licensing import people
from webapp.licensing.availability import Figures, Verdict
from webapp.licensing.consequences import Facts, settle
from webapp.licensing.errors import Problem, first_few
from webapp.licensing.record import Loss, Record, Wish
from webapp.words import Role


@dataclass(frozen=True)
class UserPlan:
    """What the plan makes of one user. ``before`` is None for a new one; ``line`` is the line of a file."""

    before: Record | None
    after: Record
    losses: tuple[Loss, ...] = ()
    line: int | None = None

    @property
    def changes(self) -> bool:
        """Whether anything would be another than it is."""
        return self.before != self.after


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

    users: tuple[UserPlan, ...]
    new_groups: tuple[str, ...]
    pools: tuple[PoolEffect, ...]
    refusals: tuple[Problem, ...]

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What the actor must confirm to be lost (E5)."""
        return tuple(loss for user in self.users for loss in user.losses)

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
    """The plan for creating these users together (V1, V2, E1 to E4, S1 to S3, P2, P3).

    ``first_admin`` waives S2 for the very first admin and nothing else (S8). ``each`` goes over
    the wishes; a door that shows progress passes its own.
    """
    refusals: list[Problem] = list(_taken(wishes, facts))
    users: list[UserPlan] = []
    for wish in each(wishes):
        outcome = settle(wish, None, facts)
        refusals += [replace(problem, line=wish.line) for problem in outcome.problems]
        if outcome.after and people.fold(wish.username) not in facts.usernames:
            users.append(UserPlan(None, outcome.after, line=wish.line))
    return _plan(users, facts, refusals, no_limit=first_admin)


def plan_changes(wishes: Sequence[Wish], facts: Facts) -> Plan:
    """The plan for changing these users together, whose records the facts have (V1 to S3, P3, P6, P7)."""
    refusals: list[Problem] = []
    users: list[UserPlan] = []
    for wish in wishes:
        before = facts.records[people.fold(wish.username)]
        outcome = settle(wish, before, facts)
        problems = [*_taken_by_others(wish, before, facts), *outcome.problems]
        refusals += [replace(problem, line=wish.line) for problem in problems]
        users.append(UserPlan(before, outcome.after or before, outcome.losses, wish.line))
    refusals += _last_admin(users, facts)
    return _plan(users, facts, refusals)


def _plan(
    users: Sequence[UserPlan], facts: Facts, refusals: list[Problem], *, no_limit: bool = False
) -> Plan:
    pools = _pool_effects(users, facts)
    if not no_limit:
        refusals += _seat_problems(users, pools)
    refusals.sort(key=lambda problem: problem.line or 0)
    return Plan(tuple(users), _new_groups(users, facts), pools, tuple(refusals))


def _last_admin(users: Iterable[UserPlan], facts: Facts) -> Iterator[Problem]:
    """P3: an active admin always remains."""
    were = [user for user in users if user.before and _rules(user.before)]
    if were and not facts.other_admin and not any(_rules(user.after) for user in users):
        yield from (
            Problem("last_admin", f"license_{u.after.base.product}" if u.after.active else "form", {}, u.line)
            for u in were
        )


def _rules(user: Record) -> bool:
    return user.active and user.role is Role.ADMIN


def _taken_by_others(wish: Wish, before: Record, facts: Facts) -> Iterator[Problem]:
    for name, taken in (("sso_external_id", facts.sso_external_ids), ("agent_id", facts.agent_ids)):
        value = getattr(wish, name)
        if value and value != getattr(before, name) and value in taken:
            yield Problem(f"{name}_taken", name, {"value": value})


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


def _new_groups(users: Iterable[UserPlan], facts: Facts) -> tuple[str, ...]:
    """Groups named but not there yet, each once, in the order they come."""
    new: dict[str, str] = {}
    for user in users:
        for name in (*user.after.groups, *user.after.access):
            if (key := people.group_key(name)) not in facts.groups:
                new.setdefault(key, name)
    return tuple(new.values())


def _pool_effects(users: Iterable[UserPlan], facts: Facts) -> tuple[PoolEffect, ...]:
    """The net effect on each pool that is touched, in the catalog's order (S1, S3)."""
    net: Counter[str] = Counter()
    for user in users:
        net.update(kind.ref for kind in user.after.held)
        if user.before:
            net.subtract(kind.ref for kind in user.before.held)
    return tuple(PoolEffect(facts.pools[ref], net[ref]) for ref in facts.catalog.types if net[ref])


def _seat_problems(users: Sequence[UserPlan], pools: Iterable[PoolEffect]) -> Iterator[Problem]:
    """S2, and E3's "must have been purchased", for each pool that can't give what is asked."""
    for effect in pools:
        pool, kind = effect.before, effect.before.type
        where = f"license_{kind.product}"
        if not pool.purchased:
            lines = [user.line for user in users if kind in user.after.held]
            facts = {"license": kind.full_name}
            yield from (Problem("not_purchased", where, facts, line) for line in lines)
        elif effect.verdict is Verdict.REFUSED:
            yield Problem("no_seat", where, _seat_facts(effect))


def _seat_facts(effect: PoolEffect) -> dict[str, object]:
    pool, name = effect.before, effect.before.type.short_name
    left = f"{pool.room:,}" if pool.room else "none"
    return {
        "what": f"No {name} license is left" if effect.net == 1
        else f"{effect.net:,} {name} licenses wanted, {left} left",
        "contracted": f"{pool.contracted:,}",
        "assigned": f"{pool.assigned:,}",
        "overage": f", {pool.max_overage:,} more at extra charge" if pool.max_overage else "",
    }  # fmt: skip


def unconfirmed_overage(plan: Plan, confirmed: Collection[str], confirm: str) -> list[Problem]:
    """One problem for each pool whose extra charge nobody confirmed (S2). ``confirm``: how to."""
    return [
        Problem(
            "overage_unconfirmed",
            f"license_{effect.before.type.product}",
            {
                "license": effect.before.type.short_name,
                "after": f"{effect.after.assigned:,}",
                "contracted": f"{effect.before.contracted:,}",
                "confirm": confirm,
            },
        )
        for effect in plan.pools
        if effect.overage and effect.before.type.ref not in confirmed
    ]


def unconfirmed_losses(plan: Plan, confirmed: Collection[str]) -> list[Problem]:
    """One problem for each loss that nobody confirmed (E5); a confirmation is good for that loss alone."""
    return [
        Problem("loss_unconfirmed", "confirm_losses", {"license": loss.name, "cause": loss.cause.sentence})
        for loss in plan.losses
        if loss.what not in confirmed
    ]
