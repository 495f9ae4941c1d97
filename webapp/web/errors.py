"""Every error as a page: dressed when the app is well, plain when it may not be.

An error page says what happened and the way out; it never tells a path, a version, a query or
whether something out of view exists (P5).
"""

import logging
from typing import Any, NamedTuple

from flask import Flask, Response, current_app, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from webapp.database import means_busy
from webapp.licensing.errors import NotAllowedError, NotThereError
from webapp.web.log import event, request_id


class _Words(NamedTuple):
    title: str
    message: str


_WORDS = {
    400: _Words("That request can't be used", "Open the page again and repeat the last step."),
    401: _Words("You are not signed in", "Sign in, then repeat the last step."),
    403: _Words("You don't have the right to do this", "An admin can give it to you."),
    404: _Words("There is nothing here", "It may be gone, or not yours to view."),
    405: _Words("This can't be done that way", "Start from the page instead of the address."),
    409: _Words(
        "Somebody else was faster", "Load the page again and see what they changed; nothing of it was lost."
    ),
    411: _Words("The request doesn't say how long it is", "Use the page in a browser."),
    413: _Words("That is too much at once", "Send less, or in smaller parts."),
    415: _Words("That kind of data can't be used here", "Use the page in a browser."),
    429: _Words("Too many tries", "Wait a few minutes and try again."),
    500: _Words("Something broke on our side", "Nothing was changed. Please try again."),
    503: _Words("Busy right now", "Nothing was changed. Wait a few seconds and try again."),
}


_NOT_OUR_NAME = _Words(
    "License Desk is not set up for this address",
    "Open it under its own name. Whoever runs it can allow this one: the setting TRUSTED_HOSTS.",
)


def init_errors(app: Flask) -> None:
    """Answer every exception with a page."""
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(NotThereError, lambda _error: _dressed(404, *_WORDS[404]))
    app.register_error_handler(NotAllowedError, _not_allowed)
    app.register_error_handler(Exception, _unexpected)


def _not_allowed(_error: NotAllowedError) -> Response:
    event("right_refused")
    return _dressed(403, *_WORDS[403])


def _csrf(_error: CSRFError) -> Response:
    event("csrf_refused")
    return _dressed(
        400, "This page is out of date",
        "It was open during a sign-in or sign-out. Load it again; nothing was changed.",
    )  # fmt: skip


def _http(error: HTTPException) -> Response | HTTPException:
    code = error.code or 500
    if code < 400:  # a redirect that routing asks for
        return error
    words = _WORDS.get(code, _Words(error.name, "Go back and try another way."))
    wait = getattr(error, "retry_after", None)
    if code == 429 and isinstance(wait, int):
        words = words._replace(message=too_many(wait))
    if isinstance(error, SecurityError):
        words = _NOT_OUR_NAME
        event("host_refused", host=request.environ.get("HTTP_HOST", "-"))
    elif code == 403:
        event("right_refused")
    response = _plain(code, *words) if code == 400 else _dressed(code, *words)
    if code == 405:
        response.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    if isinstance(wait, int):
        response.headers["Retry-After"] = str(wait)
    return response


def too_many(seconds: int) -> str:
    """The same words for every cause, so that nobody learns which account or address it is about."""
    minutes = max(1, -(-seconds // 60))
    return f"Too many tries. Wait {'a minute' if minutes == 1 else f'{minutes} minutes'} and try again."


def _unexpected(error: Exception) -> Response:
    if means_busy(error):
        response = _plain(503, *_WORDS[503])
        response.headers["Retry-After"] = "5"
        return response
    event("error", level=logging.ERROR, error=error)
    if current_app.testing:
        raise error
    return _plain(500, *_WORDS[500], incident=request_id())


def _dressed(status: int, title: str, message: str) -> Response:
    """The error in the app's own frame; needs the database to say who is signed in."""
    try:
        return make_response(render_template("errors/error.html", **_told(status, title, message)), status)
    except Exception:
        return _plain(status, title, message)


def _plain(status: int, title: str, message: str, incident: str | None = None) -> Response:
    """The error without database, session, frame or anything else that could fail again."""
    template = current_app.jinja_env.get_template("errors/plain.html")
    return make_response(template.render(**_told(status, title, message, incident)), status)


def _told(status: int, title: str, message: str, incident: str | None = None) -> dict[str, Any]:
    # Who switches the person goes on at the start: two refusals must not differ by what was asked (P5).
    way_out = {"way_out_url": "/", "way_out_label": "Go to the start page", "here": "/"}
    return {"status": status, "title": title, "message": message, "incident": incident, **way_out}
