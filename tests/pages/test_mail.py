"""Links by mail: a real SMTP server gets them, and one that is not there is told."""

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from tests.inspecting import Browser, Page
from tests.make import Make
from tests.servers import free_port


class Mailbox(socketserver.ThreadingTCPServer):
    """As much of SMTP as is needed to take a mail."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.lines: list[str] = []


class _Talk(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            word = line.partition(" ")[0].upper()
            if word == "DATA":
                self._say("354 go on")
                while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                    self.server.lines.append(text)  # type: ignore[attr-defined]
                self._say("250 taken")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self.server.lines.append(line)  # type: ignore[attr-defined]
                self._say("250 ok")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def asked(app: Flask, make: Make, browse: Browser, port: int) -> Page:
    """An admin asks for a link by mail."""
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(
        settings, smtp_url=f"smtp://127.0.0.1:{port}", mail_from="desk@x.example", public_url="https://desk.example"
    )  # fmt: skip
    make.admin("boss")
    make.supervisor("sue", name="Sue Søren", email="sue@x.example")
    browse.sign_in("boss", make.password("boss"))
    page = browse.get("/users/sue")
    assert "mail it to sue@x.example" in page.words(".way-in")
    return browse.follow(browse.post("/users/sue/password-link", {"version": "1", "mail": "1"}))


def test_a_link_is_mailed_to_its_user(app: Flask, make: Make, browse: Browser, mailbox: Mailbox) -> None:
    page = asked(app, make, browse, mailbox.server_address[1])
    assert "on its way by mail" in page.words("main")
    link = page.words("#link")
    assert link.startswith("https://desk.example/password/")
    told = "\n".join(mailbox.lines)
    assert "rcpt to:<sue@x.example>" in told.lower()
    assert "From: desk@x.example" in told
    assert link in told.replace("=\n", "").replace("=3D", "=")


@pytest.mark.case("ASVS 16.3.4", "ASVS 16.5.2")
def test_a_mail_that_cannot_be_sent_is_told_and_the_link_is_there(
    app: Flask, make: Make, browse: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    page = asked(app, make, browse, free_port())
    assert [one.message for one in caplog.records if one.name == "license_desk"] == ["mail_failed"]
    assert "could not be sent" in page.words("main")
    assert page.words("#link").startswith("https://desk.example/password/")


def test_without_a_server_nothing_is_offered(app: Flask, make: Make, browse: Browser) -> None:
    make.admin("boss")
    make.supervisor("sue")
    browse.sign_in("boss", make.password("boss"))
    assert "mail" not in browse.get("/users/sue").words(".way-in form")


def test_the_same_form_sent_again_mails_nobody_anything(
    app: Flask, make: Make, browse: Browser, mailbox: Mailbox
) -> None:
    asked(app, make, browse, mailbox.server_address[1])
    make.supervisor("zoe", email="zoe@x.example")
    form = {"version": "1", "mail": "1", "op_id": "of-sue"}
    browse.get("/users/sue")
    browse.post("/users/sue/password-link", form)
    browse.get("/users/zoe")
    browse.post("/users/zoe/password-link", {"version": "1", "op_id": "of-zoe"})
    mailbox.lines.clear()
    browse.post("/users/sue/password-link", form)
    assert mailbox.lines == [], "the newest link of this browser is somebody else's"
