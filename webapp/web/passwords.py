"""Passwords: argon2id, and what a password must be. The only module that hashes one.

Length and no common password, after NIST SP 800-63B; no rules about letters and signs, no expiry. A
password is never logged, shown or stored; only its hash leaves this module.
"""

import os
import secrets
import unicodedata
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import CHEAPEST
from flask import Flask, current_app

from webapp.database import WAIT, BusyError
from webapp.licensing.errors import LicensingError, Problem

SHORTEST, LONGEST = 15, 128
_LONGEST_TYPED = 4 * LONGEST  # before normalizing, which is slow for a long text of marks
_COMMON = 10**8  # as many tries as a guesser may need: fewer, and it is a common one
_OURS = ("license desk",)
# Each hash takes 19 MiB and a core: of each worker no more at a time than there are cores.
_turns = BoundedSemaphore(os.cpu_count() or 1)


def init_passwords(app: Flask, *, cheap: bool = False) -> None:
    """Choose the hash's cost: OWASP's parameters, or the cheapest for tests."""
    hasher = (
        PasswordHasher.from_parameters(CHEAPEST)
        if cheap
        else PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    )
    app.extensions["passwords"] = hasher
    app.extensions["no_password"] = hasher.hash(secrets.token_urlsafe(16))


def hash_password(password: str, context: Collection[str] = ()) -> str:
    """The hash of a new password. Raises LicensingError if it is too short, too long or a common one.

    ``context``: words that a guesser would try for this person first, such as their username and name.
    """
    if len(password) > _LONGEST_TYPED:
        raise LicensingError([Problem("password_long", "password", {"length": len(password)})])
    text = unicodedata.normalize("NFKC", password)
    if len(text) < SHORTEST:
        raise LicensingError([Problem("password_short", "password", {"length": len(text)})])
    if len(text) > LONGEST:
        raise LicensingError([Problem("password_long", "password", {"length": len(text)})])
    with _turn():
        if _is_common(text, context):
            raise LicensingError([Problem("password_common", "password")])
        return _hasher().hash(text)


def _is_common(text: str, context: Collection[str]) -> bool:
    """Whether it is a common password, or made of some, of context words, keys in a row or repeats."""
    from zxcvbn import zxcvbn  # here, because its lists are large and few need them

    words = {word for phrase in (*_OURS, *context) for word in (phrase, *phrase.split(), _bare(phrase))}
    words = {word for word in words if len(word) > 2}
    return any(
        zxcvbn(part[:72], user_inputs=sorted(words), max_length=72)["guesses"] < _COMMON
        for part in (text, _bare(text)) if part
    )  # fmt: skip


def _bare(text: str) -> str:
    """Letters and digits alone: what is repeated with a space between is repeated."""
    return "".join(filter(str.isalnum, text))


def needs_renewal(stored_hash: str) -> bool:
    """Whether the hash was made at another cost than today's."""
    return _hasher().check_needs_rehash(stored_hash)


def renewed(password: str) -> str:
    """The hash of a password that was just found right, at today's cost; no rule is asked again."""
    with _turn():
        return _hasher().hash(unicodedata.normalize("NFKC", password))


def _hasher() -> PasswordHasher:
    hasher: PasswordHasher = current_app.extensions["passwords"]
    return hasher


def is_right(password: str, stored_hash: str | None) -> bool:
    """Whether the password is the one; costs the same when there is none to compare with."""
    # No password is as short as nothing, so what is too long to be one costs the same and is wrong.
    text = "" if len(password) > _LONGEST_TYPED else unicodedata.normalize("NFKC", password)
    try:
        with _turn():
            _hasher().verify(stored_hash or current_app.extensions["no_password"], text)
    except (Argon2Error, InvalidHashError):
        return False
    return stored_hash is not None


@contextmanager
def _turn() -> Iterator[None]:
    """Wait until fewer hashes are under way. Raises BusyError if that takes too long."""
    if not _turns.acquire(timeout=WAIT):
        raise BusyError
    try:
        yield
    finally:
        _turns.release()
