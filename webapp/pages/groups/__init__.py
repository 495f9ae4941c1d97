"""The Groups page: the groups in view, with what may be done to them."""

from webapp.pages.groups.views import blueprint

__all__ = ["blueprint"]
