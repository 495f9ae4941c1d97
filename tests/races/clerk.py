"""One client that does one thing after the other, of random kinds, until its server is gone.

What it had sent and got no answer to, it sends once more when there is a server again.
"""

import http.client
import random
from collections.abc import Callable
from itertools import count

from tests.races.client import Client, Form

REFS = (
    "vcc/agent",
    "vcc/supervisor",
    "vcc/wallboard",
    "vcc/admin",
    "ha/viewer",
    "ha/creator",
    "enc/enabled",
    "accent/enabled",
)
CONFIRMED = {"confirm_losses": [*REFS, "contactpad", "webrtc"], "confirm_overage": REFS}


class Clerk:
    """See the module. ``known``: the users that all clerks know of."""

    def __init__(self, client: Client, name: str, known: list[str]) -> None:
        self._client, self._name, self._known = client, name, known
        self._numbers = count(1)
        self._cut: tuple[str, Form] | None = None

    def repeat(self) -> None:
        """Send what was cut off once more."""
        if self._cut:
            self._post(*self._cut)

    def work(self) -> None:
        """Until nobody answers any more."""
        kinds: list[Callable[[], None]] = [
            self._create, self._create, self._edit, self._edit, self._archive, self._reactivate, self._move, self._delete,
            self._group, self._look,
        ]  # fmt: skip
        try:
            while True:
                random.choice(kinds)()
        except (OSError, http.client.HTTPException):
            return

    def _post(self, path: str, fields: Form) -> int:
        self._cut = (path, fields)
        status = self._client.post(path, fields).status
        self._cut = None
        return status

    def _next(self) -> str:
        return f"{self._name}.{next(self._numbers)}"

    def _create(self) -> None:
        username = self._next()
        form = {"op_id": username, "username": username, "name": username, "email": "clerk@x.example"}
        if self._post("/users/new", form | _licenses() | self._groups() | CONFIRMED) == 303:
            self._known.append(username)

    def _edit(self) -> None:
        self._change("", _licenses() | self._groups() | {"name": f"Edited {random.randrange(3)}"} | CONFIRMED)

    def _archive(self) -> None:
        self._change("/archive", {})

    def _delete(self) -> None:
        self._change("/delete", {})

    def _reactivate(self) -> None:
        self._change("/reactivate", _licenses() | CONFIRMED)

    def _move(self) -> None:
        self._change("", self._groups() | CONFIRMED)

    def _change(self, what: str, form: Form) -> None:
        username = random.choice(self._known)
        path = f"/users/{username}"
        self._post(
            f"{path}{what}", {"op_id": self._next(), "version": self._client.version(username), **form}
        )

    def _group(self) -> None:
        name = self._next()
        self._post("/groups", {"op_id": name, "name": name})

    def _look(self) -> None:
        self._client.look(random.choice(("vcc", "ha", "enc")))

    def _groups(self) -> dict[str, list[str]]:
        ids = [*self._client.groups]
        return {"groups": random.sample(ids, random.randint(0, len(ids)))}


def _licenses() -> dict[str, str]:
    """A choice that is often possible, and often not."""
    chosen = {
        "license_vcc": random.choice(("agent", "agent", "supervisor", "wallboard", "admin")),
        "license_ha": random.choice(("", "", "viewer", "creator")),
        "license_enc": random.choice(("", "enabled")),
    }
    switches = {"contactpad": "y"} if random.random() < 0.3 and chosen["license_vcc"] != "wallboard" else {}
    return chosen | switches
