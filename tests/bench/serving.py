"""What the app is measured beside: the same pages rendered from constants, and a bare "hello".

Both run in processes of their own under the options of ``serve``. A page from constants takes the whole
way through Flask, the sign-in's cookie, the templates and the log, with all that its view made out of the
database kept from before. Its app has no database, so a page that asked one would fail.
"""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextvars import Context
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

from flask import Flask, Response, request
from flask_login import current_user

from tests.servers import PATIENCE, ROOT, Desk, free_port
from webapp.commands.serve import as_worker
from webapp.factory import create_app
from webapp.web.access import SignedIn
from webapp.web.page import page

KEPT = "LICENSE_DESK_BENCH_KEPT"
_PAGES = {"licenses.product": "webapp.pages.licenses.views", "users.everyone": "webapp.pages.users.views"}
"""The endpoints of the lists, and the modules whose ``page`` is handed what they show."""


def keep(app: Flask, asked: Iterable[tuple[str, str]], file: Path) -> None:
    """Ask each address once, with its cookie, and keep what its view hands to its template."""
    kept: dict[Any, Any] = {}

    def noting(*arguments: Any, **named: Any) -> Response:
        kept["pages"][current_user.get_id(), request.full_path] = arguments, named
        kept["people"][current_user.get_id()] = _always_seen(current_user._get_current_object())
        return page(*arguments, **named)

    kept |= {"pages": {}, "people": {}}
    with contextlib.ExitStack() as patches:
        for module in _PAGES.values():
            patches.enter_context(mock.patch(f"{module}.page", noting))
        for address, cookie in asked:
            client = app.test_client(use_cookies=False)
            answer = Context().run(client.get, address, headers={"Cookie": cookie})
            assert answer.status_code == 200, f"{address}: {answer.status_code}"
    file.write_bytes(pickle.dumps(kept))


def _always_seen(user: SignedIn) -> SignedIn:
    """The same person, of whom no request has anything to note: nothing could be written."""
    return replace(user, standing=replace(user.standing, seen_at=datetime.max.replace(tzinfo=UTC)))


def constants() -> Flask:
    """The app with views that only hand over what was kept."""
    kept = pickle.loads(Path(os.environ[KEPT]).read_bytes())
    app = create_app()
    app.login_manager.user_loader(kept["people"].get)  # type: ignore[attr-defined]

    def constant(**_: str) -> Response:
        arguments, named = kept["pages"][current_user.get_id(), request.full_path]
        return page(*arguments, **named)

    for endpoint in _PAGES:
        app.view_functions[endpoint] = constant
    return as_worker(app)


def hello() -> Flask:
    """The least that Flask can answer."""
    app = Flask("hello")
    app.add_url_rule("/healthz", view_func=lambda: "hello")
    return as_worker(app)


@contextlib.contextmanager
def serving(desk: Desk, what: str, **settings: str) -> Iterator[int]:
    """One of the two on a free port, until the block ends."""
    port, log = free_port(), desk.folder / f"{what}.log"
    environment = desk.environment(**settings)
    environment["PYTHONPATH"] += f"{os.pathsep}{ROOT}"  # the app as it is laid out, then these tests
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.serving", what, str(port)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            cwd=desk.folder, env=environment, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_until_ready(process, port, log)
        yield port
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0, log.read_text("utf-8")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text("utf-8")
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text("utf-8"))


def main() -> None:
    """Serve one of the two as ``serve`` would serve the app."""
    what, port = sys.argv[1:]
    serve = import_module("webapp.commands.serve")  # the package has a command of this name
    server = partial(serve.Server, f"tests.bench.serving:{what}")
    with mock.patch.object(serve, "Server", lambda _app, **options: server(**options)):
        serve.run_server("127.0.0.1", int(port), workers=2, log=serve._log_to_stdout("text"))


if __name__ == "__main__":
    main()
