"""What the address says about a list: filters and the key after which the next rows begin.

Unknown and damaged values are ignored, never an error: an address may be old or cut off.
"""

import base64
import json

from webapp.licensing.holders import Key


def write_key(key: Key) -> str:
    """A key as the ``after`` of an address: opaque, base64url."""
    text = json.dumps([key.name_fold, key.username_fold], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_key(text: str) -> Key | None:
    """The key of an address, or None."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        values = json.loads(base64.urlsafe_b64decode(padded))
    except ValueError:
        return None
    if not isinstance(values, list) or len(values) != 2:
        return None
    if not all(isinstance(value, str) and "\0" not in value and _storable(value) for value in values):
        return None
    return Key(*values)


def _storable(text: str) -> bool:
    """Whether a database can be asked about it: a lone surrogate is no text."""
    return not any(0xD800 <= ord(c) <= 0xDFFF for c in text)
