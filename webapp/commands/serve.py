"""``serve``: the production server. Never creates a database, never starts on a wrong one."""

import ipaddress
import sys
from pathlib import Path

import click
from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server
from sqlalchemy.engine import make_url

from webapp.commands.init import place
from webapp.settings import PREFIX, Settings, SettingsError, read_settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
def serve(host: str, port: int, workers: int) -> None:
    """Serve License Desk."""
    from webapp.factory import create_app

    try:
        settings = read_settings()
    except SettingsError as error:
        _stop(str(error))
    if not (is_loopback(host) or settings.allow_insecure_http):
        _stop(
            f"Without TLS, {host} would send passwords in the clear. Serve on 127.0.0.1 behind a "
            f"proxy with TLS, or set {PREFIX}ALLOW_INSECURE_HTTP=1."
        )
    _refuse_wrong_database(create_app, settings)
    click.echo(f"Database: {place(settings.database_url)}")
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


def _refuse_wrong_database(create_app: object, settings: Settings) -> None:
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        _stop(f"There is no database at {url.database}. Run: license-desk init")
    app: Flask = create_app(settings)  # type: ignore[operator]
    from webapp.pages.health import database_revision, head_revision

    with app.app_context():
        try:
            found = database_revision()
        except Exception as error:
            _stop(f"The database can't be opened: {type(error).__name__}.")
        if found != head_revision():
            _stop(
                f"The database is at revision {found or 'none'}, this version needs "
                f"{head_revision()}. Run: license-desk db upgrade"
            )


def _stop(message: str) -> None:
    click.echo(message, err=True)
    sys.exit(2)
