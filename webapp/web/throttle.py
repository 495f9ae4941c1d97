"""Tries of passwords and one-time links, counted before anything is checked, for all workers together.

Counted in the database and committed before hashing, so that parallel guesses are counted too. Whoever
has tried too often waits until five minutes after the first of these tries: nobody is locked out for good.
A device on which somebody signed in before is counted apart, so that they get in while strangers try.
"""

import hashlib
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy import Row, delete, func, select, text, update
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from webapp.database import db, now, transaction
from webapp.licensing.errors import Problem
from webapp.licensing.people import fold
from webapp.licensing.rights import Actor
from webapp.models import Throttle
from webapp.web.log import event
from webapp.web.security import over_tls

STRETCH = 300  # seconds
OF_ACCOUNT, OF_ADDRESS, OF_ALL = 10, 30, 1_000  # tries in one stretch
OF_PROBES = 30
_ALL = "all"
_DEVICE_DAYS = 180
_DEVICE_PEOPLE = 12  # who signed in last on one device: a tablet is passed on

# The same text on SQLite and PostgreSQL. A stretch begins with its first try, not by the clock: at the
# edge of two nobody has twice the tries. ``abs``: a clock set back a day holds nobody for a day.
_UPSERT = text(
    "INSERT INTO throttle (key, began, hits) VALUES (:key, :moment, 1) ON CONFLICT (key) DO UPDATE SET "
    "hits = CASE WHEN abs(throttle.began - :moment) < :stretch THEN throttle.hits + 1 ELSE 1 END, "
    "began = CASE WHEN abs(throttle.began - :moment) < :stretch THEN throttle.began ELSE :moment END "
    "RETURNING hits, began"
)


class TooManyError(TooManyRequests):
    """Too many tries. ``seconds``: until the next may be made."""

    def __init__(self, seconds: int) -> None:
        """Keep how long to wait."""
        super().__init__(retry_after=seconds)
        self.seconds = seconds


class Try:
    """One counted try; ``succeeded`` takes it back."""

    def __init__(self, own: str | None, shared: tuple[str, ...], moment: int) -> None:
        """``own``: the key of the account, or of the account on a known device. ``moment``: in seconds."""
        self._own, self._shared, self._moment = own, shared, moment

    def succeeded(self, session: Session) -> None:
        """Forget what was counted for the account, and take this try back where others share it."""
        session.execute(delete(Throttle).where(Throttle.key == self._own))
        session.execute(
            update(Throttle)
            .where(Throttle.key.in_(self._shared), Throttle.began <= self._moment, Throttle.hits > 0)
            .values(hits=Throttle.hits - 1)
        )


@contextmanager
def counted(username: str | None = None) -> Iterator[Try]:
    """Count a try for this account, this address and all together. Raises TooManyError.

    ``username``: as typed; whether there is such an account makes no difference. None: a one-time link.
    """
    own, shared = _keys(username)
    moment = _count({own: OF_ACCOUNT, **shared} if own else shared)
    yield Try(own, tuple(shared), moment)


def note_probe(who: Actor, problems: Sequence[Problem]) -> None:
    """Count a refusal that tells that a value or a group is taken, maybe by somebody out of view (P4).

    One who tries names to learn which there are must not get far: ``hold_prober``.
    """
    if not who.views_everyone and any(p.code.endswith(("_taken", "_taken_up")) for p in problems):
        event("taken_value_refused")
        _count({f"taken values {who.id}": sys.maxsize})


def hold_prober(who: Actor) -> None:
    """Refuse whatever they save, taken or not, after too many refusals of that kind. Raises TooManyError."""
    if who.views_everyone:
        return
    moment = int(now().timestamp())
    until = db.session.scalar(
        select(Throttle.began + STRETCH).where(
            Throttle.key == f"taken values {who.id}",
            Throttle.hits >= OF_PROBES,
            func.abs(Throttle.began - moment) < STRETCH,
        )
    )
    if until:
        event("throttled")
        raise TooManyError(until - moment)


def _count(limits: Mapping[str, int]) -> int:
    """Count under each of these keys; a moment in the stretches it was counted in. Raises TooManyError.

    What the account's own limit refuses costs its address nothing, and what an address's refuses nobody
    else: or one client could use up the tries of all.
    """
    moment = int(now().timestamp())
    counts: dict[str, Row[tuple[int, int]]] = {}
    with transaction() as session:
        for key in sorted(limits):  # account, address, all; one order for everybody leaves no deadlock
            counts[key] = session.execute(_UPSERT, {"key": key, "moment": moment, "stretch": STRETCH}).one()
            if counts[key].hits > limits[key]:
                break
    if _ALL in counts and counts[_ALL].hits == 1:
        _forget_old(moment)
    for key, count in counts.items():
        if count.hits > limits[key]:
            event("throttled")
            raise TooManyError(count.began + STRETCH - moment)
    return max([moment, *(int(count.began) for count in counts.values())])


def _keys(username: str | None) -> tuple[str | None, dict[str, int]]:
    """What a try is counted under: the account's own key, and those that others share with their limits."""
    shared = {f"address {request.remote_addr}": OF_ADDRESS, _ALL: OF_ALL}
    if username is None:
        return None, shared
    account = _digest(username)
    if device := _known_device(account):
        return f"device {device} {account}", {}
    return f"account {account}", shared


def _forget_old(moment: int) -> None:
    """Throw away what was counted in stretches that are over, passing by what another try holds."""
    over = Throttle.began <= moment - STRETCH
    old = select(Throttle.key).where(over).with_for_update(skip_locked=True)
    with transaction() as session:
        session.execute(delete(Throttle).where(Throttle.key.in_(old)))


def remember_device(response: Response, username: str) -> None:
    """Let the browser prove next time that this person signed in on it before. It tells nobody's name."""
    device, people = _read_device()
    account = _digest(username)
    people = [account, *(other for other in people if other != account)][:_DEVICE_PEOPLE]
    value = _devices().dumps([device or secrets.token_urlsafe(9), *people])
    response.set_cookie(
        _cookie(), str(value), max_age=_DEVICE_DAYS * 86_400, secure=over_tls(), httponly=True, samesite="Lax"
    )


def _known_device(account: str) -> str | None:
    device, people = _read_device()
    return device if account in people else None


def _read_device() -> tuple[str, list[str]]:
    """The device's number and who signed in on it; nothing if it is new, or the cookie is not ours."""
    try:
        device, *people = _devices().loads(request.cookies.get(_cookie(), ""), max_age=_DEVICE_DAYS * 86_400)
    except BadSignature:
        return "", []
    return device, people


def _devices() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.extensions["settings"].secret_key, salt="license-desk device")


def _cookie() -> str:
    return f"{current_app.session_interface.get_cookie_name(current_app)}_device"


def _digest(username: str) -> str:
    """A name for the account of this username, of one length whatever was typed."""
    return hashlib.sha256(fold(username[:200]).encode("utf-8", "surrogatepass")).hexdigest()[:32]
