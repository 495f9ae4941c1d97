"""Signing in and out."""

from webapp.pages.session.views import blueprint

__all__ = ["blueprint"]
