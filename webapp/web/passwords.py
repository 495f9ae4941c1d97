"""Passwords: argon2id, and what a password must be. The only module that hashes one.

A password is never logged, shown or stored; only its hash leaves this module.
"""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import CHEAPEST
from flask import Flask, current_app

from webapp.licensing.errors import LicensingError, Problem

SHORTEST, LONGEST = 15, 128


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
    text = unicodedata.normalize("NFKC", password)
    if len(text) < SHORTEST:
        raise LicensingError([Problem("password_short", "password", {"length": len(text)})])
    if len(text) > LONGEST:
        raise LicensingError([Problem("password_long", "password", {"length": len(text)})])
    hasher: PasswordHasher = current_app.extensions["passwords"]
    return hasher.hash(text)


def is_right(password: str, stored_hash: str | None) -> bool:
    """Whether the password is the one; costs the same when there is none to compare with."""
    hasher: PasswordHasher = current_app.extensions["passwords"]
    text = unicodedata.normalize("NFKC", password)[: LONGEST + 1]
    try:
        hasher.verify(stored_hash or current_app.extensions["no_password"], text)
    except (Argon2Error, InvalidHashError):
        return False
    return stored_hash is not None
