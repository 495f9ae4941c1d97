"""``serve``: the production server. What it must find right before it starts is in ``start``."""

import gc
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import click
from flask import Flask
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from webapp.commands import start
from webapp.commands.address import in_url, is_every_address, listening_address
from webapp.commands.common import warn_of_unknown_settings
from webapp.settings import PREFIX, is_loopback, read_settings

_GRACE = 30.0  # seconds that workers have to answer what is under way; then they are killed
_ENDS = (signal.SIGINT, signal.SIGTERM)
_FILE = click.Path(path_type=Path)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--tls-cert", type=_FILE, help="The certificate, with the ones between it and its root (PEM).")
@click.option("--tls-key", type=_FILE, help="Its key (PEM).")
def serve(host: str, port: int, workers: int, tls_cert: Path | None, tls_key: Path | None) -> None:
    """Serve License Desk."""
    with start.Faults() as faults:
        faults.of(start.refuse_debugging)
        faults.of(start.refuse_bad_certificate, tls_cert, tls_key)
        address = faults.of(listening_address, host, port)
        settings = faults.of(read_settings)
        if settings:
            faults.of(start.refuse_clear_text, host, bool(tls_cert), settings)
            faults.of(start.refuse_wrong_database, settings)
    assert address
    assert settings
    warn_of_unknown_settings()
    start.warn_of_old_sqlite(settings)
    click.echo(f"Database: {settings.database_words}")
    tls = (tls_cert, tls_key) if tls_cert and tls_key else None
    name = _name(host, settings.trusted_hosts)
    run_server(address, port, workers, name, tls=tls, log=_log_to_stdout(settings.log_format))


def run_server(
    address: str, port: int, workers: int, name: str = "localhost", *,
    tls: tuple[Path, Path] | None = None, log: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """Serve until a signal; requests under way are answered first.

    ``name``: as browsers reach it; ``tls``: certificate and key; ``log``: how
    to log, else warnings alone as text.
    """
    click.echo(f"License Desk is at {'https' if tls else 'http'}://{name}:{port}/")
    sys.stdout.flush()
    cert, key = tls or (None, None)
    _let_signals_wait_for_new_workers()
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
        ssl_cert=cert,
        ssl_key=key,
        ssl_protocol_min=SSLProtocols.tls12,
        respawn_failed_workers=True,
        workers_kill_timeout=1,  # after the time that Server gives them
        log_level=LogLevels.warning,
        log_dictconfig=log or _log_to_stdout("text", requests=False),
    ).serve()


class Server(MPServer):
    """A server that knows when its workers have ended.

    The library asks so soon after the end of one that its own thread, which waits for it too, may not
    have noted it: it then says of a worker that did end in order that it refused to, and kills it.
    """

    def _stop_workers(self) -> None:
        workers: list[Any] = self.wrks
        for worker in workers:
            worker.terminate()
        until = time.monotonic() + _GRACE
        while any(worker.is_alive() for worker in workers) and time.monotonic() < until:
            time.sleep(0.01)
        super()._stop_workers()  # type: ignore[no-untyped-call]


def _let_signals_wait_for_new_workers() -> None:
    """A worker that is told to end while it starts must end.

    It inherits the server's own answer to signals, which would only note it in the copy. So that answer
    is taken away at its birth, and signals wait until ``_end_once_when_told``.
    """
    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS),
        after_in_child=lambda: [signal.signal(one, signal.SIG_DFL) for one in _ENDS],
    )


def _end_once_when_told() -> None:
    """Tell a worker exactly once that it is to end, however often and whenever it is told.

    Told twice (a terminal and a service manager tell all processes, and then the server tells its
    workers), it would drop what it is answering. And Python answers a signal in the main thread alone,
    and misses it if that is just about to wait. So a thread waits for the signal and wakes the main one,
    until that is found waiting, which it does while the worker serves.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)  # in the threads that are made from now on too
    main, told = threading.main_thread().ident or 0, threading.Event()

    def end(_number: int, frame: FrameType | None) -> None:
        answer = signal.getsignal(signal.SIGTERM)
        serves = frame is not None and frame.f_globals["__name__"] == threading.__name__
        if callable(answer) and serves and not told.is_set():  # sooner the server would not hear it
            told.set()
            answer(signal.SIGTERM, None)

    def wait() -> None:
        signal.sigwait(_ENDS)
        time.sleep(0.3)  # the server, told at the same time, takes a worker that ends before for a failure
        while not told.is_set():
            signal.pthread_kill(main, signal.SIGURG)
            time.sleep(0.1)

    signal.signal(signal.SIGURG, end)
    threading.Thread(target=wait, daemon=True).start()


def worker_app() -> Flask:
    """The app as a worker serves it."""
    from webapp.factory import create_app

    return as_worker(create_app())


def as_worker(app: Flask) -> Flask:
    """The app in a process that ends when it is told to; the collector leaves alone what stays until then."""
    _end_once_when_told()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)  # a page makes thousands of objects, and next to none in circles
    return app


class _NoAdvice(logging.Filter):
    """Leaves out the server's advice against our many threads: they wait for the database, idle."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line may be shown."""
        return "Python threads" not in record.getMessage()


def _log_to_stdout(format_: str, *, requests: bool = True) -> dict[str, Any]:
    """The logging of all processes: ours and everybody else's as lines of one format."""
    lines = {"()": "webapp.web.log.Lines", "as_json": format_ == "json"}
    stdout = {
        "class": "logging.StreamHandler", "stream": "ext://sys.stdout",
        "formatter": "lines", "filters": ["no advice"],
    }  # fmt: skip
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"no advice": {"()": _NoAdvice}},
        "formatters": {"lines": lines},
        "handlers": {"stdout": stdout},
        "loggers": {"license_desk": {"level": "INFO" if requests else "WARNING"}},
        "root": {"level": "WARNING", "handlers": ["stdout"]},
    }


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
