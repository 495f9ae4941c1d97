"""A command as typed into a shell: with redirections, pipes and bytes that are no text."""

import subprocess
import sys

from tests.servers import PATIENCE, Desk, Ran


def shell(desk: Desk, line: str, stdin: bytes = b"", **settings: str) -> Ran:
    """Run ``line`` in the installation's folder; ``license-desk`` in it is the program."""
    program = f'license_desk() {{ "{sys.executable}" -m webapp "$@"; }}\n'
    done = subprocess.run(
        ["sh", "-c", program + line.replace("license-desk", "license_desk")],
        input=stdin, capture_output=True, timeout=PATIENCE, check=False,
        cwd=desk.folder, env=desk.environment(**settings),
    )  # fmt: skip
    return Ran(
        done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    )
