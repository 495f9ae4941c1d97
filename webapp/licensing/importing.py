"""A users file becomes wishes: which columns there are, and what a cell means.

Shape only; every rule is the plan's. Every wrong cell is named with line, field and way out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from webapp.licensing import csvfile, people
from webapp.licensing.catalog import Catalog
from webapp.licensing.errors import Problem
from webapp.licensing.record import Wish
from webapp.words import AccessLevel

ROW_LIMIT = 100_000
CELL_LIMIT = 10_000  # characters; what is done with a text may take the square of its length

_REQUIRED = ("Username", "Name", "Email", "License")
_OPTIONAL = tuple(name for name in people.COLUMNS if name not in _REQUIRED)
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # of a sign-in

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
    """The same problems by line, their fields named as the file names its columns.

    A cell that was too long counted as blank; it isn't told to be missing as well.
    """
    columns = {f"license_{p.key}": "License" if p.base else p.name for p in catalog.products}
    columns |= _COLUMN_OF
    named = [replace(problem, field=columns.get(problem.field, problem.field)) for problem in problems]
    long = {(problem.line, problem.field) for problem in named if problem.code == "cell_long"}
    told = [p for p in named if p.code == "cell_long" or (p.line, p.field) not in long]
    return sorted(told, key=lambda problem: problem.line or 0)


class _Cells:
    """One row's cells, read by meaning; wrong ones are reported and count as blank."""

    def __init__(self, row: csvfile.Row, problems: list[Problem]) -> None:
        self._line = row.line
        self._problems = problems
        self._text = {column: self._bounded(column, text) for column, text in row.cells.items()}

    def wish(self, base: str, products: dict[str, str], as_of: date) -> Wish:
        """The row as a wish."""
        text = self._text
        licenses = {key: self._unless_none(name) for key, name in products.items()}
        last = self._last_login(as_of)
        return Wish(
            username=text["Username"], name=text["Name"], email=text["Email"],
            sso_external_id=self._unless_none("SSO External Id"),
            active=self._flag("User Active", "active") is not False,
            licenses={base: text["License"], **licenses},
            contactpad=self._flag("ContactPad", "contactpad"),
            webrtc=bool(self._flag("WebRTC", "webrtc")),
            agent_id=text["ID"],
            groups=tuple(self._list("Groups")),
            permissions=self._permissions(),
            access=self._access(),
            last_login=last, last_login_as_of=as_of if last else None,
            line=self._line,
        )  # fmt: skip

    def _bounded(self, column: str, text: str) -> str:
        if len(text) <= CELL_LIMIT:
            return text
        self._wrong("cell_long", column, length=f"{len(text):,}", most=f"{CELL_LIMIT:,}")
        return ""

    def _unless_none(self, column: str) -> str:
        value = self._text[column]
        return "" if people.means_nothing(value) else value

    def _list(self, column: str) -> Iterator[str]:
        return (part.strip() for part in self._unless_none(column).split(";") if part.strip())

    def _flag(self, column: str, field: str) -> bool | None:
        value = self._text[column]
        known = {"": None, "TRUE": True, "FALSE": False}
        if value.upper() in known:
            return known[value.upper()]
        self._wrong("cell_flag", field, value=value)
        return None

    def _last_login(self, as_of: date) -> datetime | None:
        """Too early or too late is a slip in the file, and some moments no time zone can show."""
        value = self._text["User Last Login"]
        if not value:
            return None
        moment = csvfile.moment(value)
        if not moment:
            self._wrong("cell_moment", "last_login", value=value)
        elif not _EARLIEST <= moment < datetime.combine(as_of + timedelta(days=2), time.min, UTC):
            self._wrong("cell_moment_range", "last_login", value=value, as_of=as_of)
        else:
            return moment.astimezone(UTC)
        return None

    def _permissions(self) -> frozenset[str] | None:
        words = frozenset(word.casefold() for word in self._list("Permissions"))
        return words if self._text["Permissions"] else None

    def _access(self) -> dict[str, AccessLevel] | None:
        access: dict[str, AccessLevel] = {}
        for part in self._list("Group Access"):
            name, colon, level = part.rpartition(":")
            if colon and name.strip() and level.strip().casefold() in set(AccessLevel):
                wanted = AccessLevel(level.strip().casefold())
                if access.setdefault(name.strip(), wanted) is not wanted:
                    self._wrong("access_twice", "access", value=name.strip())
            else:
                self._wrong("cell_access", "access", value=part)
        return access if self._text["Group Access"] else None

    def _wrong(self, code: str, field: str, **facts: object) -> None:
        self._problems.append(Problem(code, field, facts, self._line))
