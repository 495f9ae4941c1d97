"""The history of a run: what clients asked and were told, against the change log and the figures that it comes to.

``check`` is the whole checker: every step legal, the rows as replayed, each success with its one change and
each refusal with none, changes in the order of what happened, and every page seen true at some moment.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf

from sqlalchemy.orm import Session

from tests.checking import rows
from tests.checking.model import Change, Fields, Figures, Model

DONE = 303


@dataclass(frozen=True)
class Asked:
    """One request to change something, and its answer.

    ``mark`` is how its change is known: the form's number, or the words of a contract line. ``status`` None:
    the connection was cut, and nobody can say. ``wants``: fields of the user as the log tells them after a
    success; None if it must differ from what was.
    """

    mark: str
    begun: float
    ended: float
    status: int | None
    place: str = ""
    person: str = ""
    wants: Mapping[str, str | None] | None = None


@dataclass(frozen=True)
class Seen:
    """One look at a Licenses page: contracted, assigned, available by card; users by product."""

    begun: float
    ended: float
    cards: Mapping[str, tuple[int, int, int]]
    users: Mapping[str, int]


@dataclass
class Log:
    """What all clients of one run noted; ``first``: the number of the last change before it."""

    first: int = 0
    asked: list[Asked] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)


def check(session: Session, log: Log | None = None) -> list[str]:
    """Every complaint about the log, the rows and what clients saw; none if all agree."""
    model, past = Model(), _Past()
    complaints = []
    for change in rows.changes(session):
        complaints += model.replay(change)
        past.remember(change, model)
    complaints += model.books().differences(rows.books(session))
    if log:
        complaints += _answers(log, past)
    return complaints


class _Past:
    """What was when, by the numbers of the changes."""

    def __init__(self) -> None:
        self.figures: dict[int, Figures] = {0: {}}
        self.people: dict[str, list[tuple[int, Fields]]] = defaultdict(list)
        self.marks: dict[str, list[int]] = defaultdict(list)
        self.by_page: dict[int, str] = {}

    def remember(self, change: Change, model: Model) -> None:
        self.figures[change.seq] = model.figures(model.day(change.at))
        for user, username in {(e.user_id, e.subject) for e in change.entries if e.user_id is not None}:
            self.people[username.lower()].append((change.seq, dict(model.people[user])))
        lines = (entry.new for entry in change.entries if entry.field == "contract_line")
        for mark in {change.op_id, *lines} - {None}:
            self.marks[mark].append(change.seq)
        if change.door == "page" and change.op_id:
            self.by_page[change.seq] = change.op_id

    def had(self, asked: Asked, low: int, high: int) -> bool:
        """Whether the user was as wanted after one of the changes from ``low`` to ``high``."""
        states = self.people[asked.person.lower()]
        first = max(bisect_right(states, low, key=lambda it: it[0]) - 1, 0)
        return asked.wants is not None and any(
            all(person.get(name) == value for name, value in asked.wants.items())
            for seq, person in states[first:] if seq <= high
        )  # fmt: skip


class _Order:
    """What must lie before and after a moment, by what had ended and what had not begun."""

    def __init__(self, spans: Iterable[tuple[float, float, int]], first: int, last: int) -> None:
        spans = list(spans)
        ended = sorted((end, seq) for _, end, seq in spans)
        begun = sorted(((begin, seq) for begin, _, seq in spans), reverse=True)
        self._ends, self._begins = [end for end, _ in ended], [-begin for begin, _ in begun]
        self._lows = list(accumulate((seq for _, seq in ended), max, initial=first))
        self._highs = list(accumulate((seq - 1 for _, seq in begun), min, initial=last))

    def low(self, moment: float) -> int:
        """The newest change that was acknowledged before the moment."""
        return self._lows[bisect_left(self._ends, moment)]

    def high(self, moment: float) -> int:
        """The newest change before every one that was asked for after the moment."""
        return self._highs[bisect_left(self._begins, -moment)]


def _answers(log: Log, past: _Past) -> Iterator[str]:
    by_mark: dict[str, list[Asked]] = defaultdict(list)
    for asked in log.asked:
        by_mark[asked.mark].append(asked)
    spans = {}
    for mark, same in by_mark.items():
        done = [asked.ended for asked in same if asked.status == DONE]
        if past.marks[mark]:
            spans[mark] = (min(asked.begun for asked in same), min(done, default=inf), past.marks[mark][0])
    order = _Order(spans.values(), log.first, max(past.figures))
    for mark, same in by_mark.items():
        yield from _effect(mark, same, past, order)
    for mark, (begun, _, seq) in spans.items():
        if seq <= order.low(begun):
            yield f"{mark} is change {seq}, and change {order.low(begun)} was acknowledged before it was asked for"
    unasked = {mark for seq, mark in past.by_page.items() if seq > log.first} - by_mark.keys()
    yield from (f"nobody asked for {mark}" for mark in unasked)
    for seen in log.seen:
        yield from _true_once(seen, past, order.low(seen.begun), order.high(seen.ended))


def _effect(mark: str, same: list[Asked], past: _Past, order: _Order) -> Iterator[str]:
    """A success has one change, or none if nothing differed; a refusal none; who knows: none or one."""
    statuses = {asked.status for asked in same}
    if broken := {status for status in statuses if status and status >= 500}:
        yield f"{mark} was answered {broken}"
    seqs = past.marks[mark]
    if len(seqs) > 1:
        yield f"{mark} has the changes {seqs}"
    done = [asked for asked in same if asked.status == DONE]
    if len({asked.place for asked in done}) > 1:
        yield f"{mark} was led to {sorted({asked.place for asked in done})}"
    if seqs and not done and statuses != {None}:
        yield f"{mark} was refused with {statuses}, and is change {seqs[0]}"
    for asked in done[:1]:
        low, high = (seqs[0], seqs[0]) if seqs else (order.low(asked.begun), order.high(asked.ended))
        if not (past.had(asked, low, high) if asked.wants or not seqs else seqs):
            yield f"{mark} succeeded, and nothing shows {asked.wants} between change {low} and {high}"


def _true_once(seen: Seen, past: _Past, low: int, high: int) -> Iterator[str]:
    for ref, (contracted, assigned, available) in seen.cards.items():
        if available != contracted - assigned:
            yield f"{ref}: {available} available of {contracted} with {assigned} assigned"
    if not any(_shows(seen, past.figures[seq]) for seq in range(low, high + 1)):
        yield f"no moment from change {low} to {high} had the figures {seen.cards} with users {seen.users}"


def _shows(seen: Seen, figures: Figures) -> bool:
    users: dict[str, int] = defaultdict(int)
    for ref, (_, _, assigned) in figures.items():
        users[ref.partition("/")[0]] += assigned
    return all(users[product] == number for product, number in seen.users.items()) and all(
        (figures.get(ref, (0, 0, 0))[0], figures.get(ref, (0, 0, 0))[2]) == card[:2]
        for ref, card in seen.cards.items()
    )
