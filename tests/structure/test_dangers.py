"""What the code must not reach for: evaluation, other programs, other hosts, weak chance and hashes, files by given names."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import ROOT
from tests.structure.test_code import CODE, where

EVALUATION = {
    "eval", "exec", "compile", "__import__", ".from_string", "render_template_string", "pickle", "marshal", "shelve",
    "dill", "yaml", "xml", "lxml", "xmlrpc",
}  # fmt: skip
PROGRAMS = {
    "subprocess", "pty", "ctypes", "os.system", "os.popen", "os.fork", "os.execv", "os.execvp", "os.posix_spawn",
}  # fmt: skip
NETWORK = {
    "socket", "smtplib", "imaplib", "ftplib", "http.client", "urllib.request", "urllib3", "requests", "httpx", "aiohttp",
}  # fmt: skip
CHANCE = {"random", "uuid"}
LOGS = {
    ".FileHandler", ".RotatingFileHandler", ".SysLogHandler", ".SocketHandler", ".HTTPHandler", "logging.handlers",
    "logging.FileHandler", "syslog",
}  # fmt: skip
FILES = {
    "open", "os.open", "pathlib", "tempfile", ".write_bytes", ".write_text", ".open", "send_file", "send_from_directory",
    "request.files",
}  # fmt: skip
SCRIPT = (
    r"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write|\beval\(|\bFunction\(|"
    r"localStorage|sessionStorage|indexedDB|document\.cookie|__proto__|\w\[[^\]]+\]\s*=[^=]|on(?:paste|copy)|\"paste\""
)  # fmt: skip


def used(source: str) -> Iterator[str]:
    """Names of modules and of functions that are called; attributes as ``.name`` and with what stands before: ``before.name``."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from (module, module.partition(".")[0], *(f"{module}.{alias.name}" for alias in names))
                yield from (alias.name for alias in names)
            case ast.Call(func=ast.Name(id=name)):
                yield name
            case ast.Attribute(value=ast.Name(id=before), attr=name):
                yield from (f".{name}", f"{before}.{name}")
            case ast.Attribute(attr=name):
                yield f".{name}"


def users_of(dangers: set[str], files: list[Path] = CODE) -> set[str]:
    return {where(file) for file in files if dangers & set(used(file.read_text("utf-8")))}


@pytest.mark.parametrize(
    ("source", "dangers"),
    [
        ("eval(x)", EVALUATION), ("import pickle as p", EVALUATION), ("from xml.etree import ElementTree", EVALUATION),
        ("env.from_string(x)", EVALUATION), ("from os import system", PROGRAMS), ("os.system(x)", PROGRAMS),
        ("import subprocess", PROGRAMS), ("from urllib.request import urlopen", NETWORK), ("import http.client", NETWORK),
        ("import random", CHANCE), ("logging.FileHandler(x)", LOGS), ("open(x)", FILES), ("from pathlib import Path", FILES),
        ("request.files", FILES),
    ],
)  # fmt: skip
def test_each_danger_is_found(source: str, dangers: set[str]) -> None:
    assert dangers & set(used(source))


@pytest.mark.case("ASVS 1.3.2", "ASVS 1.3.7", "ASVS 1.5.1", "ASVS 1.5.2")
def test_nothing_is_evaluated_and_nothing_made_of_bytes_but_text() -> None:
    assert users_of(EVALUATION) == set()


@pytest.mark.case("ASVS 1.2.5")
def test_no_other_program_is_started() -> None:
    assert users_of(PROGRAMS) == set()


@pytest.mark.case("ASVS 1.3.6", "ASVS 14.2.3", "ASVS 15.3.2")
def test_nothing_is_asked_of_another_host_and_mail_alone_goes_out() -> None:
    assert users_of(NETWORK) == {
        "webapp/web/mail.py", "webapp/commands/address.py", "webapp/commands/demo.py",
    }, "these look up this machine's own names and ports"  # fmt: skip


@pytest.mark.case("ASVS 7.2.3", "ASVS 11.5.1")
def test_what_must_not_be_guessed_comes_from_the_system_and_has_128_bits() -> None:
    assert users_of(CHANCE) == {"webapp/commands/demo.py"}, "its made-up people"
    short = set()
    for file in CODE:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="secrets"), attr=name), args=args) if (
                    name.startswith("token_")
                ):
                    (bytes_,) = args
                    assert isinstance(bytes_, ast.Constant)
                    if bytes_.value < 16:
                        short.add(where(file))
    assert short == {"webapp/web/log.py", "webapp/web/throttle.py"}, (
        "a number to be told, and one that is signed"
    )


@pytest.mark.case("ASVS 11.2.1", "ASVS 11.4.1")
def test_hashes_are_sha256_of_the_library() -> None:
    found = {
        name
        for file in CODE
        for name in used(file.read_text("utf-8"))
        if name.startswith(("hashlib.", "hmac."))
    }
    assert found == {"hashlib.sha256", "hmac.new"}
    (mac,) = [line for file in CODE for line in file.read_text("utf-8").splitlines() if "hmac.new(" in line]
    assert mac.strip().endswith("hashlib.sha256)")


@pytest.mark.case("ASVS 1.2.4")
def test_statements_are_constants_and_values_are_bound() -> None:
    for file in CODE:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id="text") | ast.Attribute(attr="exec_driver_sql"), args=[told, *_]
                ):
                    parts = [told.body, told.orelse] if isinstance(told, ast.IfExp) else [told]
                    assert all(isinstance(part, ast.Constant) for part in parts), (
                        f"{where(file)}:{node.lineno}"
                    )


@pytest.mark.case("ASVS 5.3.2")
def test_no_page_opens_a_file() -> None:
    pages = [file for file in CODE if {"pages", "web"} & set(file.relative_to(ROOT).parts)]
    assert pages
    assert users_of(FILES, pages) == set()


@pytest.mark.case("ASVS 16.2.3")
def test_the_log_goes_to_the_output_alone() -> None:
    assert users_of(LOGS) == set()


@pytest.mark.case("ASVS 3.2.2", "ASVS 14.3.3", "ASVS 15.3.6")
def test_the_script_writes_text_alone_and_keeps_nothing() -> None:
    script = (ROOT / "static" / "app.js").read_text("utf-8")
    assert re.findall(SCRIPT, script) == []


@pytest.mark.parametrize(
    "line",
    ["x.innerHTML = y", "localStorage.x", "known[name] = 1", "eval(x)", 'on("paste", f)', "a.__proto__"],
)
def test_each_danger_of_a_script_is_found(line: str) -> None:
    assert re.search(SCRIPT, line)
