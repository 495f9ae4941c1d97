"""The history checker: whether a change log, what clients were told, and the rows agree with a model of their own.

The model is written without the app's rules, so that an error there can't hide itself here. Nothing in this
folder may import ``webapp.licensing``.
"""

from tests.checking.history import Asked, Log, Seen, check
from tests.checking.model import Model

__all__ = ["Asked", "Log", "Model", "Seen", "check"]
