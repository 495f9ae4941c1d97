"""The distribution: everything is inside, and it runs from an empty folder without the checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.servers import ROOT

pytestmark = pytest.mark.xdist_group("wheel")

INSIDE = ("templates", "static", "migrations")


def run(*arguments: str | Path, cwd: Path, stdin: str = "", **environment: str) -> str:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LICENSE_DESK_", "PYTHONPATH", "PIP_"))
    }
    done = subprocess.run(
        [str(argument) for argument in arguments], cwd=cwd, input=stdin, capture_output=True,
        encoding="utf-8", timeout=120, check=False, env=clean | environment,
    )  # fmt: skip
    assert done.returncode == 0, f"{arguments}:\n{done.stdout}{done.stderr}"
    return done.stdout


def build(out: Path, source: Path, *what: str) -> Path:
    run(sys.executable, "-m", "build", "--no-isolation", *what, "--outdir", out, source, cwd=out)
    (built,) = out.glob("*.whl" if "--wheel" in what else "*.tar.gz")
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"), ROOT, "--wheel")


def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def in_checkout() -> set[str]:
    """What the wheel must hold, as files of the checkout have it."""
    code = {file.relative_to(ROOT) for file in (ROOT / "webapp").rglob("*.py")}
    beside = {Path("webapp", file.relative_to(ROOT))
              for name in INSIDE for file in (ROOT / name).rglob("*")
              if file.is_file() and "__pycache__" not in file.parts}  # fmt: skip
    return {path.as_posix() for path in code | beside} | {"webapp/catalog.toml"}


@pytest.mark.case("ASVS 13.4.1", "ASVS 15.2.3")
def test_the_wheel_holds_code_catalog_templates_static_and_migrations_and_nothing_else(wheel: Path) -> None:
    held = {name for name in contents(wheel) if ".dist-info/" not in name}
    assert held == in_checkout()
    assert {"webapp/templates/base.html", "webapp/static/app.css", "webapp/migrations/env.py"} <= held


def test_a_wheel_made_from_the_sdist_is_the_same(wheel: Path, tmp_path: Path) -> None:
    sdist = build(tmp_path, ROOT, "--sdist")
    run(sys.executable, "-m", "tarfile", "-e", sdist, tmp_path / "source", cwd=tmp_path)
    (source,) = (tmp_path / "source").iterdir()
    assert contents(build(tmp_path, source, "--wheel")) == contents(wheel)


def test_the_installed_wheel_runs_in_an_empty_folder_and_keeps_its_data_in_xdg_data_home(
    wheel: Path, tmp_path: Path
) -> None:
    home, here = tmp_path / "venv", tmp_path / "here"
    here.mkdir()
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    own = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=here).strip())
    dependencies = sysconfig.get_path("purelib")
    (own / "dependencies.pth").write_text(f"{dependencies}\n", "utf-8")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index",
        "--disable-pip-version-check", wheel, cwd=here)  # fmt: skip
    place = run(python, "-c", "import webapp; print(webapp.__file__)", cwd=here).strip()
    assert Path(place).is_relative_to(home)

    desk, data = home / "bin" / "license-desk", tmp_path / "data"
    xdg = {"XDG_DATA_HOME": str(data)}
    out = run(desk, "init", "--username", "ada", "--name", "Ada", "--email", "ada@desk.example",
              "--password-stdin", cwd=here, stdin="a long enough password", **xdg)  # fmt: skip
    assert "Made the first admin: ada." in out
    run(desk, "db", "upgrade", cwd=here, **xdg)
    assert "vcc/admin       0           1         1 over" in run(desk, "contract", "show", cwd=here, **xdg)
    found = {file.relative_to(data).as_posix() for file in data.rglob("*") if file.suffix in (".db", ".env")}
    assert found == {"license-desk/license-desk.db", "license-desk/license-desk.env"}
    assert list(here.iterdir()) == []
