"""``serve``: the production server. Never creates a database, never starts on a wrong one."""

import ipaddress
import sys
from collections.abc import Callable
from typing import NoReturn

import click
from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

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
    if not (is_loopback(host) or settings.allow_insecure_http):
        _stop(
            f"Without TLS, {host} would send passwords in the clear. Serve on 127.0.0.1 behind a "
            f"proxy with TLS, or set {PREFIX}ALLOW_INSECURE_HTTP=1."
        )
    _refuse_wrong_database(create_app, settings)
    click.echo(f"Database: {settings.database_words}")
    run_server(host, port, workers)


def run_server(host: str, port: int, workers: int) -> None:
    """Serve until a signal; requests under way are answered first."""
    click.echo(f"License Desk is at http://{'localhost' if is_loopback(host) else host}:{port}/")
    sys.stdout.flush()
    Server(
        "webapp.factory:create_app",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=128,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=5_000, max_buffer_size=16 * 1024),
        respawn_failed_workers=True,
        workers_kill_timeout=30,
        log_level=LogLevels.warning,
    ).serve()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse_wrong_database(create_app: Callable[[Settings], Flask], settings: Settings) -> None:
    if settings.sqlite_file and not settings.sqlite_file.is_file():
        _stop(f"There is no database at {settings.sqlite_file}. Run: license-desk init")
    with create_app(settings).app_context():
        found, needed = database_revision(), head_revision()
    if found != needed:
        _stop(
            f"The database is at revision {found or 'none'}, this version needs {needed}. "
            "Run: license-desk db upgrade"
        )


def _stop(message: str) -> NoReturn:
    raise SettingsError(message)
