"""What stands around every page: who is signed in, and the tabs of the pages there are."""

from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from webapp.web import format as words
from webapp.web.access import current_actor
from webapp.web.security import in_the_clear

_TABS = (
    ("Users", "users", "users.everyone"),
    ("Groups", "groups", "groups.everything"),
    ("Licenses", "licenses", "licenses.first"),
    ("Changes", "changes", "changes.every"),
)


@dataclass(frozen=True)
class Person:
    """The person signed in, as the frame shows them."""

    name: str
    username: str
    initials: str


@dataclass(frozen=True)
class Tab:
    """One page of the top bar."""

    label: str
    url: str
    current: bool


def frame() -> dict[str, Any]:
    """The context of ``base.html``."""
    actor = current_actor()
    person = actor and Person(actor.name, actor.username, words.initials(actor.name))
    tabs = [Tab(label, url_for(to), request.blueprint == home) for label, home, to in _TABS]
    warned = actor is not None and actor.is_admin and in_the_clear()
    return {"actor": person, "tabs": tabs, "in_the_clear": warned, "here": request.path}
