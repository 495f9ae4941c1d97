"""The log: a line for each request and each event of security, as text or JSON, that nobody can forge.

A line never tells a query string, a path as it was asked (one may hold a token), a form, a cookie or a
header. Writing it asks no database, so it also works when that is what failed. A request's id is ours,
never the client's; an error page shows it as the incident number.
"""

import json
import logging
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, has_request_context, request

_log = logging.getLogger("license_desk")

_LONGEST = 1_000  # characters of a value
_LONGEST_TRACE = 20_000
_PLAIN = re.compile(r"[!#-<>-\[\]-~]+")  # printable ASCII without space, " = and \
# PostgreSQL repeats whole rows in these.
_ROWS = re.compile(r"^(?:DETAIL|CONTEXT):.*\n?", re.MULTILINE)


def init_log(app: Flask) -> None:
    """Write a line for each request. The first to be called: it sees the answer as all others leave it."""
    app.before_request(_begin)
    app.after_request(_end)


def event(
    name: str, *, level: int = logging.WARNING, error: BaseException | None = None, **facts: Any
) -> None:
    """Write one line of this name, with the request and whoever asks it. Never hand it a secret.

    ``error``: its traceback is written too, without the values of a statement.
    """
    about = _about_request() if has_request_context() else {}
    _log.log(level, name, extra={"facts": about | facts}, exc_info=error)


def request_id() -> str:
    """The id of this request."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(6)
    return str(g.request_id)


def _begin() -> None:
    g.started = time.perf_counter()


def _end(response: Response) -> Response:
    facts = _about_request() | {"status": response.status_code}
    started = g.get("started") or time.perf_counter()
    size = [response.content_length or 0]
    if response.is_streamed and not size[0]:  # read while it is sent: to ask its length would gather it
        response.response = _counted(response.iter_encoded(), size, facts)
    elif not size[0]:
        size = [response.calculate_content_length() or 0]

    def written() -> None:
        ms = round(1000 * (time.perf_counter() - started), 1)
        _log.info("request", extra={"facts": facts | {"ms": ms, "bytes": size[0]}})

    if response.direct_passthrough:  # a file: Werkzeug closes it without calling anybody
        written()
    else:
        response.call_on_close(written)
    return response


def _counted(parts: Iterable[bytes], size: list[int], facts: dict[str, Any]) -> Iterator[bytes]:
    """The same parts. What breaks off halfway no error page tells of: the status is sent already."""
    try:
        for part in parts:
            size[0] += len(part)
            yield part
    except Exception as error:
        _log.error("error", extra={"facts": facts}, exc_info=error)
        raise


def _about_request() -> dict[str, Any]:
    """Only what Flask-Login has read already: to ask who it is could be a question to the database."""
    actor = getattr(g.get("_login_user"), "actor", None)
    return {
        "id": request_id(),
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else "-",
        "actor": actor.username if actor else "-",
        "address": request.remote_addr or "-",
    }


class Lines(logging.Formatter):
    """Each record as one line, other libraries' too; a traceback stays readable in text."""

    def __init__(self, as_json: bool = False) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line: time in UTC, level, name of the event, facts."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = {"time": moment.replace("+00:00", "Z"), "level": record.levelname.lower()}
        facts: dict[str, Any] = getattr(record, "facts", {})
        trace = _ROWS.sub("", self.formatException(record.exc_info)) if record.exc_info else ""
        trace = trace[-_LONGEST_TRACE:]
        if self._as_json:
            cut = {name: _cut(value) for name, value in facts.items()}
            return json.dumps(
                head | {"event": _cut(record.getMessage())} | cut | ({"trace": trace} if trace else {})
            )
        said = _escaped(_cut(record.getMessage()))
        line = " ".join(
            [*head.values(), said, *(f"{name}={_quoted(value)}" for name, value in facts.items())]
        )
        return "\n".join([line, *(f"  | {_escaped(part)}" for part in trace.splitlines())])


def _cut(value: Any) -> Any:
    return value if isinstance(value, int | float) else str(value)[:_LONGEST]


def _quoted(value: Any) -> str:
    text = str(_cut(value))
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def _escaped(text: str) -> str:
    return re.sub(r"[^ -~]", lambda found: found[0].encode("unicode_escape").decode(), text)
