"""The real program in processes of its own, for whatever a test client can't show.

A test gets its own copy of the code, laid out as an installed wheel is, so that neither the data
nor the settings of the checkout are read or changed. Whatever was started here is ended here: by
SIGTERM, and it must then leave with 0.
"""

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 60  # seconds until a server that does not answer is a failure


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


class Desk:
    """One installation: the code in ``site``, the data in a folder of its own."""

    def __init__(self, site: Path, folder: Path) -> None:
        self.site = site
        self.folder = folder
        self.data = folder / "license-desk"
        self.database = self.data / "license-desk.db"
        self.env_file = self.data / "license-desk.env"

    def environment(self, **settings: str) -> dict[str, str]:
        """The environment without any setting but these (``TIME_ZONE="Asia/Tokyo"``)."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LICENSE_DESK_")}
        own = {"PYTHONPATH": str(self.site), "XDG_DATA_HOME": str(self.folder), "PYTHONIOENCODING": "utf-8"}
        return clean | own | {f"LICENSE_DESK_{name}": value for name, value in settings.items()}

    def run(self, *arguments: str | Path, stdin: str = "", **settings: str) -> Ran:
        """Run ``license-desk`` with these arguments to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "webapp", *map(str, arguments)],
            input=stdin, capture_output=True, encoding="utf-8", timeout=PATIENCE, check=False,
            cwd=self.folder, env=self.environment(**settings),
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    def must(self, *arguments: str | Path, stdin: str = "", **settings: str) -> str:
        """The same, for steps that lead up to what is tested: they must succeed."""
        ran = self.run(*arguments, stdin=stdin, **settings)
        assert ran.code == 0, f"{arguments}: exit {ran.code}\n{ran.all}"
        return ran.out

    def init(self, username: str = "ada", password: str = "a long enough password") -> None:
        """The database, the catalog and the first admin."""
        self.must("init", "--username", username, "--name", "Ada Admin", "--email", "ada@desk.example",
                  "--password-stdin", stdin=password)  # fmt: skip

    def write(self, name: str, text: str | bytes) -> Path:
        """A file to load or import."""
        file = self.folder / name
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def copy(self, folder: Path) -> "Desk":
        """The same installation with a copy of its data."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Desk(self.site, folder)


@dataclass(frozen=True)
class Server:
    """A server that answers, and the sign-ins that it printed, by role."""

    url: str
    port: int
    printed: str
    sign_ins: dict[str, tuple[str, str]]
    process: "subprocess.Popen[bytes]"
    log: Path


def lay_out(folder: Path) -> Path:
    """Copy the code into ``folder`` as the wheel has it; what goes on PYTHONPATH."""
    package = folder / "webapp"
    shutil.copytree(ROOT / "webapp", package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("templates", "static", "migrations"):
        shutil.copytree(ROOT / name, package / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    desk: Desk, command: str, *arguments: str, port: int | None = None, **settings: str
) -> Iterator[Server]:
    """``demo`` or ``serve`` on this port or a free one, until the block ends; then SIGTERM, and exit 0 within 30 s."""
    port = port or free_port()
    log = desk.folder / f"{command}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "webapp", command, "--port", str(port), *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            cwd=desk.folder, env=desk.environment(**settings), start_new_session=True,
        )  # fmt: skip
    secure = "--tls-cert" in arguments
    try:
        _wait_until_ready(process, port, log, secure)
        printed = log.read_text("utf-8")
        found = re.findall(r"^(admin|supervisor) (\S+) (\S+)$", printed, re.MULTILINE)
        url = f"{'https' if secure else 'http'}://127.0.0.1:{port}"
        yield Server(url, port, printed, {role: (u, p) for role, u, p in found}, process, log)
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=30)
        assert code == 0, f"{command} left with {code}:\n{log.read_text('utf-8')}"
        assert "refused to" not in log.read_text("utf-8")  # all workers ended in order
    finally:
        if process.poll() is None:  # it or its test failed: leave nothing running
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path, secure: bool) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert process.poll() is None, f"left with {process.returncode}:\n{log.read_text('utf-8')}"
        if is_ready(port, secure):
            return
        time.sleep(0.05)
    raise AssertionError(f"not ready after {PATIENCE} s:\n{log.read_text('utf-8')}")


def is_ready(port: int, secure: bool = False) -> bool:
    trusting = ssl._create_unverified_context()
    connection = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=trusting)
        if secure
        else http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    )
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
