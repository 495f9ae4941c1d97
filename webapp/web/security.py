"""What guards every request and answer: host, origin, body, CSRF, the cookie, the headers, static files.

One ``after_request`` for all headers, errors and static files included. Nothing here decides who may
do what; that is ``access``.

Whether a request came over TLS is asked of the request: the server says so if it has the certificate,
a counted proxy by ``X-Forwarded-Proto``, and a ``PUBLIC_URL`` of https says it of all.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import NoReturn

from flask import Flask, Response, current_app, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_wtf import CSRFProtect
from werkzeug.exceptions import (
    BadRequest,
    LengthRequired,
    RequestEntityTooLarge,
    SecurityError,
    UnsupportedMediaType,
)
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import resources
from webapp.settings import Settings, host_name, is_loopback
from webapp.web.log import event
from webapp.web.page import VARIES_ON

csrf = CSRFProtect()

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "object-src 'none'; frame-ancestors 'none'"
)
# Those that browsers have known for years: of one that it doesn't know a browser complains at each page.
_FEATURES = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation",
    "gyroscope", "hid", "idle-detection", "magnetometer", "microphone", "midi", "payment",
    "picture-in-picture", "publickey-credentials-get", "screen-wake-lock", "serial", "usb",
    "xr-spatial-tracking",
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
}
YEAR = "max-age=31536000"
COOKIE = "license_desk"
_SAFE = ("GET", "HEAD", "OPTIONS")
FORM_LIMIT = 64 * 1024  # bytes


class _Cookie(SecureCookieSessionInterface):
    """Over TLS the cookie is bound to it and to this very host; over plain HTTP it can't be.

    Static files neither set it nor vary on it.
    """

    def get_cookie_name(self, app: Flask) -> str:
        return f"__Host-{COOKIE}" if over_tls() else COOKIE

    def get_cookie_secure(self, app: Flask) -> bool:
        return over_tls()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.endpoint != "static":
            super().save_session(app, session, response)


def init_security(app: Flask, settings: Settings) -> None:
    """Set the cookie, the limits, CSRF and the headers."""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=FORM_LIMIT,
        WTF_CSRF_TIME_LIMIT=None,  # else a tablet left open for an hour fails every tap
        WTF_CSRF_SSL_STRICT=False,
    )
    if hops := settings.proxy_count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.session_interface = _Cookie()
    app.before_request(_refuse_strange_host)
    app.before_request(_refuse_strange_request)
    csrf.init_app(app)
    app.after_request(_guard)
    app.jinja_env.globals["asset"] = asset


def over_tls() -> bool:
    """Whether the browser asked over https."""
    return request.is_secure or _settings().public_url.startswith("https:")


def in_the_clear() -> bool:
    """Whether others on the network could read along."""
    return not over_tls() and not is_loopback(host_name(request.host))


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _refuse_strange_host() -> None:
    """A name that is not ours, none, or two of them; Flask's own check knows no IPv6 address."""
    if "HTTP_HOST" not in request.environ or host_name(request.host) not in _settings().trusted_hosts:
        raise SecurityError


def _refuse_strange_request() -> None:
    """Before anything is read: an unsafe request from another site, or with a body that could be cut.

    A client that sends none of these headers passes; the token is asked for in any case, also where
    there is no such page.
    """
    if request.method in _SAFE:
        return
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        _refuse_origin()
    ours = (None, f"{request.scheme}://{request.host}", _settings().public_url or None)
    if request.headers.get("Origin") not in ours:
        _refuse_origin()
    # Sent in chunks it reaches the app, and what is over the limit would be cut without a word.
    if "Transfer-Encoding" in request.headers or request.content_length is None:
        raise LengthRequired
    forms = ("application/x-www-form-urlencoded", "multipart/form-data")
    if "Content-Encoding" in request.headers or (request.content_length and request.mimetype not in forms):
        raise UnsupportedMediaType
    if request.content_length > (request.max_content_length or 0):
        raise RequestEntityTooLarge
    # The server claims to end each body itself; what a client cut off would then pass for whole.
    request.environ.pop("wsgi.input_terminated", None)
    if request.endpoint is None:
        csrf.protect()


def _refuse_origin() -> NoReturn:
    event("origin_refused", origin=request.headers.get("Origin", "-"))
    raise BadRequest


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
    if over_tls():
        response.headers["Strict-Transport-Security"] = YEAR
    named = request.endpoint == "static" and "v" in request.args
    if named and response.status_code in (200, 206, 304):
        response.headers["Cache-Control"] = f"public, {YEAR}, immutable"
    else:
        response.headers["Cache-Control"] = "no-store"
        response.vary.update(VARIES_ON)
    return response
