"""The Changes pages: who changed what, when and from where, as far as it is in view. Reads only."""

from webapp.pages.changes.views import blueprint

__all__ = ["blueprint"]
