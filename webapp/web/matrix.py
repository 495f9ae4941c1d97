"""The permission matrix: every endpoint, who may ask it, whom or what it must find in view, by what right.

One line for each endpoint, read from left to right: who is not let in is led to the sign-in page; what
is named in the address and not in the actor's view is 404, exactly like what is not there (P5); who
lacks the right gets 403. An endpoint that is not here is refused. ``access`` asks this table before every
view; what depends on the record itself (P3, P6, P7) the core asks again inside the transaction.
"""

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from webapp.licensing.rights import Actor


class Who(Enum):
    """Who may ask at all."""

    ANYONE = "anyone"
    SIGNED_IN = "whoever can sign in (P1)"


class Within(Enum):
    """What the address names and the actor must have in view (P2)."""

    USERS = "username"
    GROUPS = "group"


class Right(Enum):
    """What the actor must hold."""

    CREATE = "create user and edit user, and somewhere to put them"
    EDIT = "edit user"
    GROUPS = "manage groups"
    ADMIN = "an admin"


HOLDS: dict[Right, Callable[[Actor], bool]] = {
    Right.CREATE: lambda actor: actor.may_create,
    Right.EDIT: lambda actor: actor.may("edit"),
    Right.GROUPS: lambda actor: actor.may("groups"),
    Right.ADMIN: lambda actor: actor.is_admin,
}


class Line(NamedTuple):
    """One line of the matrix."""

    who: Who
    within: Within | None = None
    right: Right | None = None


_ANYONE = Line(Who.ANYONE)
_ALL = Line(Who.SIGNED_IN)
_ONE_USER = Line(Who.SIGNED_IN, Within.USERS)
_EDIT_USER = Line(Who.SIGNED_IN, Within.USERS, Right.EDIT)
_ADMIN_OF_USER = Line(Who.SIGNED_IN, Within.USERS, Right.ADMIN)

MATRIX = {
    "static": _ANYONE,
    "health.healthz": _ANYONE,
    "health.readyz": _ANYONE,
    "session.sign_in": _ANYONE,
    "session.sign_in_post": _ANYONE,
    "session.sign_out": _ANYONE,
    "account.by_link": _ANYONE,  # its token says who it is for
    "account.set_by_link": _ANYONE,
    "account.own": _ALL,
    "account.change_password": _ALL,
    "sign_ins.own": _ALL,
    "sign_ins.end": _ALL,  # one's own; an admin anybody's; else 404
    "sign_ins.end_others": _ALL,
    "sign_ins.of_user": _ADMIN_OF_USER,
    "sign_ins.end_of_user": _ADMIN_OF_USER,
    "licenses.start": _ALL,
    "licenses.first": _ALL,
    "licenses.product": _ALL,
    "licenses.export": _ALL,
    "users.everyone": _ALL,
    "users.export": _ALL,
    "users.new": Line(Who.SIGNED_IN, None, Right.CREATE),
    "users.create": Line(Who.SIGNED_IN, None, Right.CREATE),
    "users.one": _ONE_USER,
    "users.save": _EDIT_USER,
    "users.archive": _EDIT_USER,
    "users.reactivate": _EDIT_USER,
    "users.delete": _ADMIN_OF_USER,
    "users.password_link": _ADMIN_OF_USER,
    "groups.everything": _ALL,
    "groups.create": Line(Who.SIGNED_IN, None, Right.GROUPS),
    "groups.one": Line(Who.SIGNED_IN, Within.GROUPS),
    "groups.rename": Line(Who.SIGNED_IN, Within.GROUPS, Right.GROUPS),
    "groups.remove": Line(Who.SIGNED_IN, Within.GROUPS, Right.GROUPS),
    "changes.every": _ALL,  # with what is in view of each; one with nothing in view is 404
    "changes.one": _ALL,
    "changes.of_user": _ONE_USER,
}

FILES = {"licenses.export", "users.export"}


def is_page(endpoint: str) -> bool:
    """Whether somebody who signed in may be led there: a page behind the sign-in, not a file."""
    line = MATRIX.get(endpoint)
    return line is not None and line.who is Who.SIGNED_IN and endpoint not in FILES
