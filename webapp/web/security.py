"""What guards every answer: CSRF, the headers, the cookie, and static files that never go stale.

One ``after_request`` for all of them, errors and static files included. Nothing here decides who
may do what; that is ``access``.
"""

import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_wtf import CSRFProtect
from werkzeug.exceptions import BadRequest, LengthRequired, UnsupportedMediaType

from webapp import resources
from webapp.settings import Settings

csrf = CSRFProtect()

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "object-src 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_SAFE = ("GET", "HEAD", "OPTIONS")
FORM_LIMIT = 64 * 1024  # bytes


def init_security(app: Flask, settings: Settings) -> None:
    """Set the cookie, the limits, CSRF and the headers."""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TRUSTED_HOSTS=list(settings.trusted_hosts),
        SESSION_COOKIE_NAME="license_desk",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=FORM_LIMIT,
        WTF_CSRF_TIME_LIMIT=None,  # else a tablet left open for an hour fails every tap
        WTF_CSRF_SSL_STRICT=False,
    )
    app.before_request(_refuse_strange_request)
    csrf.init_app(app)
    app.after_request(_guard)
    app.jinja_env.globals["asset"] = asset


def _refuse_strange_request() -> None:
    """Before anything is read: an unsafe request from another site, or with a body that could be cut.

    A client that sends none of these headers passes; the token is asked for in any case, also where
    there is no such page.
    """
    if request.method in _SAFE or isinstance(request.routing_exception, BadRequest):
        return
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise BadRequest
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise BadRequest
    if "Transfer-Encoding" in request.headers:  # the server hands such a body on, cut or whole
        raise LengthRequired
    forms = ("application/x-www-form-urlencoded", "multipart/form-data")
    if "Content-Encoding" in request.headers or (request.content_length and request.mimetype not in forms):
        raise UnsupportedMediaType
    if request.endpoint is None:
        csrf.protect()


def asset(name: str) -> str:
    """The address of a static file; its hash makes it another address when it changes."""
    # Not by url_for: the plain error page needs it too when the request's host is not ours.
    return f"/static/{name}?v={_digest(resources.STATIC / name)}"


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _guard(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint == "static" and request.args.get("v") and response.status_code == 200:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        response.headers["Cache-Control"] = "no-store"
        response.vary.add("Cookie")
    return response
