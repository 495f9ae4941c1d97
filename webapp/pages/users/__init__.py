"""The Users pages: everyone in view, and one user: the form for whoever may edit them."""

from webapp.pages.users import editing, views
from webapp.pages.users.blueprint import blueprint

__all__ = ["blueprint", "editing", "views"]
