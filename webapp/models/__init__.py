"""The records and what the database itself refuses.

Plain SQLAlchemy classes on our own ``Base``; they hold constraints, never decisions, and
must never import Flask. Holdings, contract lines and changes are dated; users, groups and
memberships are the present.
"""

from webapp.models.base import Base
from webapp.models.catalog import EligibleBase, LicenseType, Product
from webapp.models.change import ChainHead, Change, ChangeEntry
from webapp.models.contract import ContractLine
from webapp.models.group import Group, GroupAccess, Membership
from webapp.models.holding import Holding, Pool
from webapp.models.operation import Operation
from webapp.models.sign_in import Credential, PasswordLink, SignIn, Throttle
from webapp.models.user import SEARCH_IDS, Offer, User, search_place, user_search

__all__ = [
    "SEARCH_IDS",
    "Base",
    "ChainHead",
    "Change",
    "ChangeEntry",
    "ContractLine",
    "Credential",
    "EligibleBase",
    "Group",
    "GroupAccess",
    "Holding",
    "LicenseType",
    "Membership",
    "Offer",
    "Operation",
    "PasswordLink",
    "Pool",
    "Product",
    "SignIn",
    "Throttle",
    "User",
    "search_place",
    "user_search",
]
