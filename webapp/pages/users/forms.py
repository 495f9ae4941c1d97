"""The user form as it was sent: WTForms fields for shape, and the wish that they make.

Decides no rule: what can't be is told by the plan, at its field. Every value a browser may send is read
here and nowhere else, so that what is checked is what is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Form, RadioField, SelectMultipleField, StringField

from webapp.licensing import rights
from webapp.licensing.catalog import Catalog
from webapp.licensing.errors import Problem
from webapp.licensing.record import Record, Wish
from webapp.words import AccessLevel, ContactPadRule

TEXTS = ("username", "name", "email", "sso_external_id", "agent_id")
ACCESS_FOR = "access_for"  # the groups that were chosen when a new supervisor's access was shown
LONGEST = 10_000  # characters of one field; what is done with a text may take the square of its length


@dataclass(frozen=True)
class GroupChoice:
    """A group that the actor may read, and whether they may put users into it (P7)."""

    id: int
    name: str
    writes: bool


def _trimmed(value: str | None) -> str | None:
    return value.strip()[:LONGEST] if value else value


class UserForm(Form):
    """The fields that every user has; ``read_form`` adds one for each product and group."""

    username = StringField(filters=[_trimmed])
    name = StringField(filters=[_trimmed])
    email = StringField(filters=[_trimmed])
    sso_external_id = StringField(filters=[_trimmed])
    agent_id = StringField(filters=[_trimmed])
    contactpad = BooleanField()
    webrtc = BooleanField()
    groups = SelectMultipleField(validate_choice=False)
    permissions = SelectMultipleField(validate_choice=False)
    confirm_losses = SelectMultipleField(validate_choice=False)
    confirm_overage = SelectMultipleField(validate_choice=False)
    version = StringField()
    op_id = StringField()


@dataclass(frozen=True)
class Sent:
    """What a form says: the wish, the ticks, and what stands in no wish."""

    wish: Wish
    confirmed_losses: frozenset[str] = frozenset()
    confirmed_overage: frozenset[str] = frozenset()
    version: int | None = None
    op_id: str = ""
    problems: tuple[Problem, ...] = ()


def read_form(
    data: MultiDict[str, str], catalog: Catalog, groups: Sequence[GroupChoice], before: Record | None
) -> Sent:
    """The form as sent. Missing text and licenses: unchanged; missing switches and sets: off and empty."""
    fields: dict[str, Any] = {f"license_{p.key}": RadioField(validate_choice=False) for p in catalog.products}
    fields |= {f"access-{group.id}": RadioField(validate_choice=False) for group in groups}
    form = type("FullUserForm", (UserForm,), fields)(data)
    texts = {name: form[name].data if name in data else None for name in TEXTS}
    licenses = {p.key: form[f"license_{p.key}"].data for p in catalog.products if f"license_{p.key}" in data}
    named = {str(group.id): group.name for group in groups}
    own = tuple(named[i] for i in form.groups.data or () if i in named)
    access, problems = _access(data, groups)
    permissions: frozenset[str] | None = frozenset(form.permissions.data or ())
    if before is None and not permissions and not any(name.startswith("access-") for name in data):
        permissions = access = None  # as a new one starts (P3)
    elif before is None and access is not None and ACCESS_FOR in data:
        shown = {named[i] for i in data[ACCESS_FOR].split() if i in named}
        access = rights.access_following(access, shown, set(own))
    username = before.username if before else texts.pop("username") or ""
    texts.pop("username", None)
    wish = Wish(
        username,
        **texts,
        licenses=licenses,
        contactpad=_contactpad(form, catalog, before),
        webrtc=form.webrtc.data,
        groups=own,
        permissions=permissions,
        access=access,
    )
    return Sent(
        wish,
        frozenset(form.confirm_losses.data or ()),
        frozenset(form.confirm_overage.data or ()),
        number(form.version.data or ""),
        form.op_id.data or "",
        tuple(problems),
    )


def number(version: str) -> int | None:
    """A version as it was sent; None if it can't be one."""
    return int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None


def _access(
    data: MultiDict[str, str], groups: Sequence[GroupChoice]
) -> tuple[dict[str, AccessLevel] | None, list[Problem]]:
    """Access by the group's name. A group that the actor can't read is like one that isn't there (P4)."""
    problems = []
    access = {}
    known = {f"access-{group.id}": group.name for group in groups}
    for name in data:
        if not name.startswith("access-") or not (value := data[name]):
            continue
        if name in known and value in set(AccessLevel):
            access[known[name]] = AccessLevel(value)
        else:
            problems.append(Problem("access_unknown", "access"))
    return access, problems


def _contactpad(form: Any, catalog: Catalog, before: Record | None) -> bool | None:
    """Missing is off, but where the base license always has it: there nobody is asked (E4)."""
    base = form[f"license_{catalog.base.key}"].data
    kind = catalog.base.named(base) if base else before and before.base
    if kind and kind.contactpad is ContactPadRule.ALWAYS:
        return None
    return bool(form.contactpad.data)
