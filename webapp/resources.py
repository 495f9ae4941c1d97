"""Finds ``templates/``, ``static/`` and ``migrations/``: beside the package in a checkout, inside
it in an installed wheel. Opens none of them.
"""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
CHECKOUT = _PACKAGE.parent if (_PACKAGE.parent / "pyproject.toml").is_file() else None
_ROOT = CHECKOUT or _PACKAGE

TEMPLATES = _ROOT / "templates"
STATIC = _ROOT / "static"
MIGRATIONS = _ROOT / "migrations"
CATALOG = _PACKAGE / "catalog.toml"


def data_folder() -> Path:
    """Where the default database and ``license-desk.env`` live; never inside what pip owns."""
    if CHECKOUT:
        return CHECKOUT / "instance"
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "license-desk"
