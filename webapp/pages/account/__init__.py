"""Passwords: one's own, and the page that a one-time link leads to."""

from webapp.pages.account.views import blueprint

__all__ = ["blueprint"]
