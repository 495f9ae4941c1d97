"""Passwords: argon2id, and what a password must be. The only module that hashes one.

A password is never logged, shown or stored; only its hash leaves this module.
"""

import os
import secrets
import unicodedata
from collections.abc import Iterator
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


def hash_password(password: str) -> str:
    """The hash of a new password. Raises LicensingError if it is too short or too long."""
    if len(password) > _LONGEST_TYPED:
        raise LicensingError([Problem("password_long", "password", {"length": len(password)})])
    text = unicodedata.normalize("NFKC", password)
    if len(text) < SHORTEST:
        raise LicensingError([Problem("password_short", "password", {"length": len(text)})])
    if len(text) > LONGEST:
        raise LicensingError([Problem("password_long", "password", {"length": len(text)})])
    hasher: PasswordHasher = current_app.extensions["passwords"]
    with _turn():
        return hasher.hash(text)


def is_right(password: str, stored_hash: str | None) -> bool:
    """Whether the password is the one; costs the same when there is none to compare with."""
    hasher: PasswordHasher = current_app.extensions["passwords"]
    # No password is as short as nothing, so what is too long to be one costs the same and is wrong.
    text = "" if len(password) > _LONGEST_TYPED else unicodedata.normalize("NFKC", password)
    try:
        with _turn():
            hasher.verify(stored_hash or current_app.extensions["no_password"], text)
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
