"""The Licenses page: what is contracted, assigned and available, and who holds it. View only."""

from webapp.pages.licenses.views import blueprint

__all__ = ["blueprint"]
