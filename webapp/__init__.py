"""License Desk: who holds which license, what is left, and who may change it.

The map, from the outside in; each package imports only what stands below it:

- ``factory``, ``commands``  put the app together; the command line
- ``pages``                  one folder for each noun on the screen, one Flask blueprint each
- ``web``                    how HTTP is done here: pages and fragments, access, headers, errors
- ``licensing``              the domain: rules, plan, seats. Knows no Flask and no clock
- ``models``                 the records and their constraints; ``words`` are the enums they share

Beside them: ``settings`` (the environment, typed), ``database`` (the one commit),
``resources`` (where templates, static files and migrations are) and ``catalog.toml``,
the only file that names a product.

This module must never import Flask: the core is imported without it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

__version__ = "0.1.0"


def create_app(*args: Any, **kwargs: Any) -> "Flask":
    """Build the app; see ``factory.create_app``. Imported late so that the core stays free of Flask."""
    from webapp.factory import create_app as build

    return build(*args, **kwargs)
