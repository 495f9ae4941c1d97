"""Who may hold what: E1 to E4, as pure functions over catalog values.

The rows of the catalog say what each license type asks for; this module only reads them. It
says why not and what would help, and never looks at seats.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from webapp.licensing.catalog import Catalog, LicenseType, enumerate_words
from webapp.licensing.errors import Problem
from webapp.words import ContactPadRule


@dataclass(frozen=True)
class Situation:
    """What eligibility depends on: a base license, ContactPad and WebRTC."""

    base: LicenseType
    contactpad: bool
    webrtc: bool


def has_contactpad(base: LicenseType, wanted: bool | None) -> bool:
    """ContactPad as it will be: always or never by the base license, else as wanted, else off (E4)."""
    if base.contactpad is ContactPadRule.OPTIONAL:
        return bool(wanted)
    return base.contactpad is ContactPadRule.ALWAYS


def contactpad_problems(
    base: LicenseType, wanted: bool | None, contactpad: bool, webrtc: bool
) -> Iterator[Problem]:
    """E4: a wish against the base license's rule, and WebRTC without ContactPad as it will be."""
    if base.contactpad is ContactPadRule.ALWAYS and wanted is False:
        yield Problem("contactpad_always", "contactpad", {"base": a(base.name)})
    if base.contactpad is ContactPadRule.NEVER and wanted:
        yield Problem("contactpad_never", "contactpad", {"base": a(base.name)})
    if webrtc and not contactpad:
        yield Problem("webrtc_without_contactpad", "webrtc", {"contactpad_way": _contactpad_way(base)})


def ineligible(kind: LicenseType, now: Situation, catalog: Catalog) -> Problem | None:
    """The first reason why ``kind`` can't be held in this situation (E1, E2, E3), or None."""
    facts = {"license": kind.full_name, "base": a(now.base.name)}
    where = f"license_{kind.product}"
    if kind.bases and now.base.ref not in kind.bases:
        choices = [t.name for t in catalog.base.types if t.ref in kind.bases]
        return Problem("needs_base", where, {**facts, "choices": enumerate_words(choices)})
    if kind.needs_contactpad and not now.contactpad:
        way = _contactpad_way(now.base)
        return Problem("needs_contactpad", where, {**facts, "contactpad_way": way})
    if kind.needs_webrtc and not now.webrtc:
        way = "Turn WebRTC on, or leave it out." if now.contactpad else _contactpad_way(now.base)
        return Problem("needs_webrtc", where, {**facts, "webrtc_way": way})
    return None


def ways(kind: LicenseType, now: Situation, catalog: Catalog) -> list[Situation]:
    """The situations in which ``kind`` can be held: this one with other switches, else with another base."""

    def with_base(base: LicenseType) -> Situation:
        possible = base.contactpad is not ContactPadRule.NEVER
        contactpad = has_contactpad(base, possible and (now.contactpad or kind.needs_contactpad))
        return Situation(base, contactpad, contactpad and (now.webrtc or kind.needs_webrtc))

    same = with_base(now.base)
    if ineligible(kind, same, catalog) is None:
        return [same]
    others = (with_base(base) for base in catalog.base.types if base != now.base)
    return [situation for situation in others if ineligible(kind, situation, catalog) is None]


def a(name: str) -> str:
    """The name with its article, capitalized: ``An Agent``, ``A Supervisor``."""
    return f"{'An' if name[:1].upper() in 'AEIOU' else 'A'} {name}"


def an(name: str) -> str:
    """The same inside a sentence: ``an Agent``."""
    return a(name)[:1].lower() + a(name)[1:]


def _contactpad_way(base: LicenseType) -> str:
    if base.contactpad is ContactPadRule.NEVER:
        return f"{a(base.name)} can't have ContactPad: leave it out, or choose another base license."
    return "Turn ContactPad on, or leave it out."
