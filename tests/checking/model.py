"""The model: the change log replayed step by step, each step judged by the rules of the shipped catalog.

A step that the rules forbid, or that tells of another past than the steps before it made, is a complaint;
the model takes it over all the same, so that one fault is told once.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any

BASES = {"agent", "supervisor", "wallboard", "admin"}
CONTACTPAD = {"agent": "on", "wallboard": None}  # E4; the others may have it
HA_BASES = BASES - {"agent"}  # E1
NEEDS = {"enc": ("contactpad",), "accent": ("contactpad", "webrtc")}  # E2, E3
STATUSES = {
    (None, "active"),
    (None, "archived"),
    ("active", "archived"),
    ("archived", "active"),
    ("archived", "deleted"),
}
LINE = re.compile(r"(\d+) contracted, (?:max overage (\d+)|no upper limit), from (\S+)")
EVENTS = {"password", "password_link"}  # told of a user, and no part of their record: no new version

Fields = dict[str, str]
Figures = dict[str, tuple[int, int | None, int]]  # contracted, overage and assigned of each license type


@dataclass(frozen=True)
class Change:
    """One change of the log with its entries in order; each has the columns of ``change_entry``."""

    seq: int
    at: datetime
    door: str
    op_id: str | None
    cause: str | None
    entries: tuple[Any, ...]


@dataclass(frozen=True)
class Line:
    """A contract line, standing as long as nothing superseded it."""

    ref: str
    contracted: int
    max_overage: int | None
    starts_on: date
    opened_by: int
    superseded_at: datetime | None = None


@dataclass
class Books:
    """All that a database must hold. ``people``: by id, each field as the log tells it; no deleted ones.

    ``holdings``: of whom, what, opened by and closed by which change, from when until when.
    """

    seq: int = 0
    at: datetime | None = None
    people: dict[int, Fields] = field(default_factory=dict)
    versions: Counter[int] = field(default_factory=Counter)
    groups: set[str] = field(default_factory=set)
    lines: set[Line] = field(default_factory=set)
    holdings: set[tuple[int, str, int, int | None, datetime, datetime | None]] = field(default_factory=set)
    assigned: Counter[str] = field(default_factory=Counter)

    def differences(self, other: "Books") -> Iterator[str]:
        """What is here and not in the other books, and the other way round."""
        for name, mine in vars(self).items():
            theirs = getattr(other, name)
            if isinstance(mine, Mapping):
                for key in mine.keys() | theirs.keys():
                    if mine.get(key) != theirs.get(key) and (mine.get(key) or theirs.get(key)):
                        yield f"{name} {key}: the log comes to {mine.get(key)}, the rows say {theirs.get(key)}"
            elif mine != theirs and isinstance(mine, set):
                yield f"{name}: only in the log {mine - theirs}, only in the rows {theirs - mine}"
            elif mine != theirs:
                yield f"{name}: the log comes to {mine}, the rows say {theirs}"


class Model(Books):
    """See the module. ``zone``: in which a contract line's day begins."""

    def __init__(self, zone: tzinfo = UTC) -> None:
        super().__init__()
        self._zone = zone
        self._open: dict[tuple[int, str], tuple[int, datetime]] = {}
        self._deleted = False

    def books(self) -> Books:
        """The books without what only the model needs."""
        return Books(**{name: value for name, value in vars(self).items() if not name.startswith("_")})

    def day(self, moment: datetime) -> date:
        """The day of a moment, for contract lines."""
        return moment.astimezone(self._zone).date()

    def figures(self, day: date) -> Figures:
        """Contracted, overage and assigned on a day, of every license type that has any of them."""
        found: Figures = {ref: (0, 0, number) for ref, number in self.assigned.items()}
        standing = [line for line in self.lines if line.superseded_at is None and line.starts_on <= day]
        for line in sorted(standing, key=lambda line: line.starts_on):
            found[line.ref] = (line.contracted, line.max_overage, self.assigned[line.ref])
        return found

    def replay(self, change: Change) -> list[str]:
        """Take one change over; what is wrong with it."""
        return [f"change {change.seq}: {wrong}" for wrong in self._replay(change)]

    def _replay(self, change: Change) -> Iterator[str]:
        if change.seq != self.seq + 1:
            yield f"comes after {self.seq}"
        if self.at and change.at < self.at:
            yield f"is of {change.at}, before {self.at}"
        self.seq, self.at = change.seq, change.at
        before = self.assigned.copy()
        told = Counter((entry.user_id, entry.subject, entry.field) for entry in change.entries)
        yield from (f"tells {what} twice" for what, times in told.items() if times > 1)
        touched = set()
        for entry in change.entries:
            if entry.old == entry.new:
                yield f"{entry.field} of {entry.subject} is told and doesn't differ"
            if entry.user_id is None:
                yield from self._other(change, entry)
            elif entry.field in EVENTS:
                if self.people.get(entry.user_id, {}).get("username") != entry.subject:
                    yield f"tells {entry.field} of {entry.subject}, who is somebody else"
            else:
                touched.add(entry.user_id)
                yield from self._user(entry)
        for user in sorted(touched):
            # Above all that a deleted user had, whose username they may have been given.
            first = change.seq if self._deleted else 1
            self.versions[user] = self.versions[user] + 1 if user in self.versions else first
            self._hold(user, change)
            yield from (f"{self.people[user]['username']}: {it}" for it in self._wrong(user))
        yield from self._seats(change, before)
        if before["vcc/admin"] and not self.assigned["vcc/admin"]:
            yield "leaves no active admin (P3)"

    def _user(self, entry: Any) -> Iterator[str]:
        """One field of a user; a deleted one is gone with all fields."""
        new = entry.user_id not in self.people
        person = self.people.setdefault(entry.user_id, {"username": entry.subject})
        if new and any(other["username"].lower() == entry.subject.lower()
                       for user, other in self.people.items() if user != entry.user_id):  # fmt: skip
            yield f"a second {entry.subject}"
        if person["username"] != entry.subject:
            yield f"calls {person['username']} {entry.subject}"
        was = person.get(entry.field)
        if was != entry.old:
            yield f"{entry.field} of {entry.subject} was {was}, not {entry.old}"
        if entry.field == "status" and (was, entry.new) not in STATUSES:
            yield f"{entry.subject} from {was} to {entry.new}"
        if entry.field == "agent_id" and was:
            yield f"{entry.subject} gets another agent ID"
        if entry.new is None:
            person.pop(entry.field, None)
        else:
            person[entry.field] = entry.new
        if entry.new == "deleted":
            self._deleted = True
            self.people[entry.user_id] = {"username": f"~{entry.user_id}", "status": "deleted"}

    def _hold(self, user: int, change: Change) -> None:
        """Holdings follow the licenses; who is deleted or archived holds nothing."""
        held = set(licenses(self.people[user]))
        for key in [key for key in self._open if key[0] == user and key[1] not in held]:
            seq, since = self._open.pop(key)
            self.holdings.remove((*key, seq, None, since, None))
            self.holdings.add((*key, seq, change.seq, since, change.at))
            self.assigned[key[1]] -= 1
        for ref in held - {ref for owner, ref in self._open if owner == user}:
            self._open[user, ref] = (change.seq, change.at)
            self.holdings.add((user, ref, change.seq, None, change.at, None))
            self.assigned[ref] += 1

    def _wrong(self, user: int) -> Iterator[str]:
        """V1, S1, E1 to E4, and what belongs to supervisors alone."""
        person = self.people[user]
        if person.get("status") == "deleted":
            return
        kept, other = ("license_", "offer_") if person.get("status") == "active" else ("offer_", "license_")
        base = person.get(f"{kept}vcc")
        if base not in BASES:
            yield f"{kept}vcc is {base} (V1)"
        if any(name.startswith(other) for name in person):
            yield f"{person.get('status')} and has {other}… (S1)"
        if f"{kept}ha" in person and base not in HA_BASES:
            yield f"Historical Analytics with {base} (E1)"
        for product, needs in NEEDS.items():
            if f"{kept}{product}" in person and not all(person.get(need) for need in needs):
                yield f"{product} without {' and '.join(needs)} (E2, E3)"
        if base in CONTACTPAD and person.get("contactpad") != CONTACTPAD[base]:
            yield f"ContactPad is {person.get('contactpad')} for {base} (E4)"
        if person.get("webrtc") and not person.get("contactpad"):
            yield "WebRTC without ContactPad (E4)"
        if person.get("contactpad") and not person.get("agent_id"):
            yield "ContactPad without an agent ID"
        for name in ("agent_id", "sso_external_id"):
            if name in person and [it.get(name) for it in self.people.values()].count(person[name]) > 1:
                yield f"shares {name}"
        if base != "supervisor" and ("permissions" in person or "access" in person):
            yield f"has permissions or group access as {base} (P3)"
        strange = {
            *parts(person, "groups"),
            *(name.rpartition(":")[0] for name in parts(person, "access")),
        } - self.groups
        if strange:
            yield f"is in groups that aren't there: {strange}"

    def _seats(self, change: Change, before: Mapping[str, int]) -> Iterator[str]:
        """S2, S6 and S8: what was given was there to give, and above the contract it was confirmed."""
        told = {e.subject: (e.old, e.new, e.cause) for e in change.entries if e.field == "overage"}
        first = change.cause == "first admin"
        if first and (before["vcc/admin"] or self.assigned["vcc/admin"] != 1):
            yield "is not of the first admin (S8)"
        for ref, (contracted, overage, after) in self.figures(self.day(change.at)).items():
            mark = None
            if after > max(before[ref], contracted):
                if first and ref == "vcc/admin" and overage is not None and after > contracted + overage:
                    continue
                if overage is not None and after > contracted + overage:
                    yield f"makes {after} of {contracted} + {overage} {ref} (S2)"
                mark = (str(max(0, before[ref] - contracted)), str(after - contracted), "confirmed")
            if told.pop(ref, None) != mark:
                yield f"the overage of {ref} is not told as {mark} (S2)"
        yield from (f"tells an overage of {ref}" for ref in told)

    def _other(self, change: Change, entry: Any) -> Iterator[str]:
        """An entry of a group or a contract line. The catalog's are known by heart."""
        if entry.field == "group":
            yield from self._group(entry)
        elif entry.field == "contract_line":
            yield from self._line(change, entry)
        elif entry.field not in ("overage", "product", "license_type"):
            yield f"tells of {entry.field}"

    def _group(self, entry: Any) -> Iterator[str]:
        name = entry.subject
        if entry.old is None:
            if name.casefold() in {group.casefold() for group in self.groups}:
                yield f"a second group {name}"
            self.groups.add(name)
            return
        if name not in self.groups or entry.old != name:
            yield f"no group {name}"
        self.groups.discard(name)
        if entry.new is None:
            if any(name in parts(person, "groups") for person in self.people.values()):
                yield f"users were in {name}"
            return
        self.groups.add(entry.new)
        for person in self.people.values():
            _rename(person, "groups", name, entry.new)
            for level in ("read", "write"):
                _rename(person, "access", f"{name}:{level}", f"{entry.new}:{level}")

    def _line(self, change: Change, entry: Any) -> Iterator[str]:
        said = LINE.fullmatch(entry.new or "")
        if said is None:
            yield f"no contract line: {entry.new}"
            return
        overage = None if said[2] is None else int(said[2])
        line = Line(entry.subject, int(said[1]), overage, date.fromisoformat(said[3]), change.seq)
        same = [
            it
            for it in self.lines
            if (it.ref, it.starts_on, it.superseded_at) == (line.ref, line.starts_on, None)
        ]
        if [_words(it) for it in same] != ([entry.old] if entry.old else []):
            yield f"the line before was {same}, not {entry.old}"
        for it in same:
            self.lines.remove(it)
            self.lines.add(Line(it.ref, it.contracted, it.max_overage, it.starts_on, it.opened_by, change.at))
        self.lines.add(line)


def licenses(person: Mapping[str, str], kind: str = "license_") -> Iterator[str]:
    """What a user holds or is offered."""
    return (f"{name.removeprefix(kind)}/{value}" for name, value in person.items() if name.startswith(kind))


def parts(person: Mapping[str, str], name: str) -> set[str]:
    """The names in a field that is a list."""
    return set(filter(None, person.get(name, "").split(";")))


def joined(names: Iterable[str]) -> str:
    """A list as the log tells it: by the groups' names, whatever the access."""
    return ";".join(sorted(names, key=lambda name: name.rpartition(":")[0] or name))


def _rename(person: Fields, name: str, old: str, new: str) -> None:
    if old in (there := parts(person, name)):
        person[name] = joined({*there, new} - {old})


def _words(line: Line) -> str:
    overage = "no upper limit" if line.max_overage is None else f"max overage {line.max_overage}"
    return f"{line.contracted} contracted, {overage}, from {line.starts_on}"
