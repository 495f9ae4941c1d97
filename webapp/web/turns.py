"""Pages one after another in each worker, on SQLite. Never holds one up for long, nor what has a body.

Python runs one thread of a process at a time. Of pages that are made side by side each question to SQLite
lets another thread come between, and all of them take longer, also the first to come. PostgreSQL answers
in a process of its own, so there they are made side by side.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from webapp.settings import Settings

PATIENCE = 0.05  # seconds a page waits for the one before it; then it is made beside it

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def init_turns(app: Flask, settings: Settings) -> None:
    """Make pages in turns."""
    if settings.sqlite_file:
        app.wsgi_app = in_turns(app.wsgi_app)  # type: ignore[method-assign, assignment]


def in_turns(app: App, patience: float = PATIENCE) -> App:
    """The WSGI app, what is asked for by GET one after another. ``patience``: seconds."""
    turn = threading.Lock()

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        mine = environ["REQUEST_METHOD"] == "GET" and turn.acquire(timeout=patience)
        try:
            return app(environ, start_response)
        finally:
            if mine:
                turn.release()

    return answer
