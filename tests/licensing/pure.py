"""Facts and wishes for the rule tests: the shipped catalog as values, and no database."""

from pathlib import Path
from typing import Any

from webapp import resources
from webapp.licensing.availability import Figures
from webapp.licensing.catalog import Catalog, LicenseType, parse_catalog
from webapp.licensing.consequences import Facts
from webapp.licensing.plan import Plan, plan_new_users
from webapp.licensing.record import Wish

CATALOG: Catalog = parse_catalog(Path(resources.CATALOG).read_text("utf-8"))
PLENTY = (1000, 0)


def kind(ref: str) -> LicenseType:
    """The license type of the shipped catalog."""
    return CATALOG.types[ref]


def pool(ref: str, contracted: int, max_overage: int | None = 0, assigned: int = 0) -> Figures:
    """One pool's figures."""
    return Figures(kind(ref), contracted, max_overage, assigned)


def facts(**known: Any) -> Facts:
    """Facts with plenty of every license; ``pools`` replaces some of them."""
    pools = {ref: pool(ref, *PLENTY) for ref in CATALOG.types} | known.pop("pools", {})
    return Facts(catalog=CATALOG, pools=pools, **known)


def wish(license: str = "agent", *, username: str = "ann", **fields: Any) -> Wish:
    """A wish that is fine unless the test spoils it."""
    licenses = {CATALOG.base.key: license, **fields.pop("licenses", {})}
    filled = {"name": "Ann", "email": "ann@company.example"} | fields
    return Wish(username, licenses=licenses, **filled)


def plan(*wishes: Wish, known: Facts | None = None) -> Plan:
    """The plan for these wishes."""
    return plan_new_users(wishes, known or facts())


def codes(result: Plan) -> list[str]:
    """The codes of a plan's refusals."""
    return [problem.code for problem in result.refusals]
