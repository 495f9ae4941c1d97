"""Mail, through the one server that the settings name; the only connection that the app ever opens.

Plain text to one person. Over TLS always, unless the server is on this machine.
"""

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from flask import current_app

from webapp.settings import Settings, is_loopback
from webapp.web.log import event

_WAIT = 5  # seconds for each step: a person waits for the page meanwhile


def is_set_up() -> bool:
    """Whether the settings name a server."""
    return bool(_settings().smtp_url)


def send(to: str, subject: str, text: str) -> bool:
    """Hand one mail to the server; False, and a line in the log, if it does not take it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = _settings().mail_from, to, subject
    mail.set_content(text)
    try:
        with _server() as server:
            server.send_message(mail)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        event("mail_failed", why=type(error).__name__)
        return False
    return True


def _server() -> smtplib.SMTP:
    url = urlsplit(_settings().smtp_url)
    host, context = url.hostname or "", ssl.create_default_context()
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, url.port or 465, timeout=_WAIT, context=context)
    else:
        server = smtplib.SMTP(host, url.port or 587, timeout=_WAIT)
        if not is_loopback(host):
            server.starttls(context=context)
    if url.username:
        server.login(unquote(url.username), unquote(url.password or ""))
    return server


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
