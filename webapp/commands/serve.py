"""``serve``: the production server. Never creates a database, never starts on a wrong one."""

import copy
import gc
import logging
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click
from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LOGGING_CONFIG, LogLevels
from granian.server import Server

from webapp.commands.address import in_url, is_every_address, is_loopback, listening_address
from webapp.commands.common import warn_of_unknown_settings
from webapp.licensing.errors import shown
from webapp.pages.health import database_revision, head_revision
from webapp.settings import PREFIX, Settings, SettingsError, read_settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
def serve(host: str, port: int, workers: int) -> None:
    """Serve License Desk."""
    from webapp.factory import create_app

    settings = read_settings()
    warn_of_unknown_settings()
    if not (is_loopback(host) or settings.allow_insecure_http):
        _stop(
            f"Without TLS, {shown(host)} would send passwords in the clear. Serve on 127.0.0.1 behind a "
            f"proxy with TLS, or set {PREFIX}ALLOW_INSECURE_HTTP=1."
        )
    _refuse_wrong_database(create_app, settings)
    address = listening_address(host, port)
    click.echo(f"Database: {settings.database_words}")
    run_server(address, port, workers, _name(host, settings.trusted_hosts))


def run_server(address: str, port: int, workers: int, name: str = "localhost") -> None:
    """Serve until a signal; requests under way are answered first. ``name``: as browsers reach it."""
    click.echo(f"License Desk is at http://{name}:{port}/")
    sys.stdout.flush()
    Server(
        "webapp.commands.serve:worker_app",
        factory=True,
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=128,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=5_000, max_buffer_size=16 * 1024),
        respawn_failed_workers=True,
        workers_kill_timeout=30,
        log_level=LogLevels.warning,
        log_dictconfig=_logging(),
    ).serve()


def worker_app() -> Flask:
    """The app as a worker serves it: the collector leaves alone what stays until the worker ends."""
    from webapp.factory import create_app

    app = create_app()
    gc.collect()
    gc.freeze()
    return app


class _NoAdvice(logging.Filter):
    """Leaves out the server's advice against our many threads: they wait for the database, idle."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line may be shown."""
        return "Python threads" not in record.getMessage()


def _logging() -> dict[str, Any]:
    config: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    for handler in config["handlers"].values():
        handler["filters"] = ["no advice"]
    return config | {"filters": {"no advice": {"()": _NoAdvice}}}


def _name(host: str, trusted_hosts: tuple[str, ...]) -> str:
    """The name to open in a browser; warns if no other machine's browser would be let in."""
    if is_loopback(host):
        return "localhost"
    outside = [name for name in trusted_hosts if not is_loopback(name)]
    if not outside:
        click.echo(
            f"{PREFIX}TRUSTED_HOSTS names this machine alone: browsers on others will be refused. "
            "Set it to the names under which they reach License Desk.",
            err=True,
        )
    return next(iter(outside), "localhost") if is_every_address(host) else in_url(host)


def _refuse_wrong_database(create_app: Callable[[Settings], Flask], settings: Settings) -> None:
    if settings.sqlite_file and not settings.sqlite_file.is_file():
        _stop(f"There is no database at {shown(str(settings.sqlite_file), 300)}. Run: license-desk init")
    with create_app(settings).app_context():
        found, needed = database_revision(), head_revision()
    if found != needed:
        _stop(
            f"The database is at revision {found or 'none'}, this version needs {needed}. "
            "Run: license-desk db upgrade"
        )


def _stop(message: str) -> NoReturn:
    raise SettingsError(message)
