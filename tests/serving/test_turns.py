"""Pages are made one after another, and none waits long for another."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from webapp.web.turns import in_turns

LONG = 60.0  # seconds; nothing here takes so long


def ask(app: Callable[..., Any], path: str = "/", method: str = "GET") -> Any:
    return app({"REQUEST_METHOD": method, "PATH_INFO": path}, None)


def test_pages_asked_for_at_the_same_time_are_made_one_after_another() -> None:
    under_way, most = 0, 0

    def page(_environ: Any, _start: Any) -> list[bytes]:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        time.sleep(0.001)  # another thread comes between
        under_way -= 1
        return [b"page"]

    app = in_turns(page, patience=LONG)
    with ThreadPoolExecutor(8) as clients:
        assert [*clients.map(lambda _: ask(app), range(80))] == [[b"page"]] * 80
    assert most == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_while_one_page_takes_long_others_are_made_beside_it(method: str) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def page(environ: dict[str, Any], _start: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            begun.set()
            assert go_on.wait(LONG)
        return [environ["PATH_INFO"].encode()]

    # A POST does not even begin to wait: it may have a body that comes slowly.
    app = in_turns(page, patience=0.01 if method == "GET" else LONG)
    with ThreadPoolExecutor(1) as client:
        slow = client.submit(ask, app, "/slow", method)
        assert begun.wait(LONG)
        assert ask(app, "/next", method) == [b"/next"]
        go_on.set()
        assert slow.result(LONG) == [b"/slow"]


def test_after_a_page_that_failed_the_next_has_its_turn() -> None:
    made = threading.Event()

    def page(environ: dict[str, Any], _start: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/broken":
            raise ValueError
        made.set()
        return [b"page"]

    app = in_turns(page, patience=threading.TIMEOUT_MAX)
    with pytest.raises(ValueError):
        ask(app, "/broken")
    threading.Thread(target=ask, args=(app,), daemon=True).start()
    assert made.wait(LONG)


def test_on_postgresql_pages_are_made_side_by_side(any_app: Flask) -> None:
    in_turn = any_app.extensions["settings"].sqlite_file is not None
    assert (any_app.wsgi_app.__module__ == "webapp.web.turns") == in_turn
