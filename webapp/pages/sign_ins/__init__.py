"""Sign-ins: where somebody is signed in, and how to end that."""

from webapp.pages.sign_ins.views import blueprint

__all__ = ["blueprint"]
