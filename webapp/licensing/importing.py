"""A users file becomes wishes: which columns there are, and what a cell means.

Shape only; every rule is the plan's. Every wrong cell is named with line, field and way out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from webapp.licensing import csvfile, people
from webapp.licensing.catalog import Catalog
from webapp.licensing.errors import Problem
from webapp.licensing.plan import Wish
from webapp.words import AccessLevel

ROW_LIMIT = 100_000

_REQUIRED = ("Username", "Name", "Email", "License")
_OPTIONAL = (
    "SSO External Id", "User Active", "ID", "ContactPad", "WebRTC", "Groups", "Permissions",
    "Group Access", "User Last Login",
)  # fmt: skip

_COLUMN_OF = {
    "username": "Username", "name": "Name", "email": "Email", "sso_external_id": "SSO External Id",
    "active": "User Active", "agent_id": "ID", "contactpad": "ContactPad", "webrtc": "WebRTC",
    "groups": "Groups", "permissions": "Permissions", "access": "Group Access",
    "last_login": "User Last Login",
}  # fmt: skip


@dataclass(frozen=True)
class UsersFile:
    """A file as read: the wishes of its good rows, the faults of the others, unused columns."""

    wishes: tuple[Wish, ...]
    problems: tuple[Problem, ...]
    ignored: tuple[str, ...]


def read_users(data: bytes, catalog: Catalog, as_of: date) -> UsersFile:
    """The users in a CSV file; ``as_of`` is the file's date, kept with each last VCC sign-in.

    A row with a wrong cell still becomes a wish (the cell counts as blank), so that one run names
    all its faults. Raises LicensingError if the file as a whole can't be read.
    """
    products = {product.key: product.name for product in catalog.products if not product.base}
    table = csvfile.read(data, required=_REQUIRED, optional=(*_OPTIONAL, *products.values()), limit=ROW_LIMIT)
    problems: list[Problem] = []
    wishes = tuple(_Cells(row, problems).wish(catalog.base.key, products, as_of) for row in table.rows)
    return UsersFile(wishes, tuple(problems), table.ignored)


def at_columns(problems: Iterable[Problem], catalog: Catalog) -> list[Problem]:
    """The same problems by line, their fields named as the file names its columns."""
    columns = {f"license_{p.key}": "License" if p.base else p.name for p in catalog.products}
    columns |= _COLUMN_OF
    named = [replace(problem, field=columns.get(problem.field, problem.field)) for problem in problems]
    return sorted(named, key=lambda problem: problem.line or 0)


class _Cells:
    """One row's cells, read by meaning; wrong ones are reported and count as blank."""

    def __init__(self, row: csvfile.Row, problems: list[Problem]) -> None:
        self._row = row
        self._problems = problems

    def wish(self, base: str, products: dict[str, str], as_of: date) -> Wish:
        """The row as a wish."""
        text = self._row.cells
        licenses = {key: self._unless_none(name) for key, name in products.items()}
        last = self._moment("User Last Login", "last_login")
        return Wish(
            username=text["Username"], name=text["Name"], email=text["Email"],
            sso_external_id=self._unless_none("SSO External Id"),
            active=self._flag("User Active", "active") is not False,
            licenses={base: text["License"], **licenses},
            contactpad=self._flag("ContactPad", "contactpad"),
            webrtc=bool(self._flag("WebRTC", "webrtc")),
            agent_id=text["ID"],
            groups=tuple(dict.fromkeys(self._list("Groups"))),
            permissions=self._permissions(),
            access=self._access(),
            last_login=last, last_login_as_of=as_of if last else None,
            line=self._row.line,
        )  # fmt: skip

    def _unless_none(self, column: str) -> str:
        value = self._row.cells[column]
        return "" if value.casefold() == "none" else value

    def _list(self, column: str) -> Iterator[str]:
        return (part.strip() for part in self._unless_none(column).split(";") if part.strip())

    def _flag(self, column: str, field: str) -> bool | None:
        value = self._row.cells[column]
        known = {"": None, "TRUE": True, "FALSE": False}
        if value.upper() in known:
            return known[value.upper()]
        self._wrong("cell_flag", field, value=value[:60])
        return None

    def _moment(self, column: str, field: str) -> datetime | None:
        value = self._row.cells[column]
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(value)
            return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            self._wrong("cell_moment", field, value=value[:60])
            return None

    def _permissions(self) -> frozenset[str] | None:
        found = [word.casefold() for word in self._list("Permissions")]
        for word in found:
            if word not in people.PERMISSIONS:
                choices = ", ".join(people.PERMISSIONS)
                self._wrong("cell_permission", "permissions", value=word[:60], choices=choices)
        return frozenset(found) & set(people.PERMISSIONS) if self._row.cells["Permissions"] else None

    def _access(self) -> dict[str, AccessLevel] | None:
        access = {}
        for part in self._list("Group Access"):
            name, colon, level = part.rpartition(":")
            if colon and name.strip() and level.strip().casefold() in set(AccessLevel):
                access[name.strip()] = AccessLevel(level.strip().casefold())
            else:
                self._wrong("cell_access", "access", value=part[:60])
        return access if self._row.cells["Group Access"] else None

    def _wrong(self, code: str, field: str, **facts: object) -> None:
        self._problems.append(Problem(code, field, facts, self._row.line))
