"""The Users pages: everyone in view, and one user with what they hold. Reads only, so far."""

from webapp.pages.users.views import blueprint

__all__ = ["blueprint"]
