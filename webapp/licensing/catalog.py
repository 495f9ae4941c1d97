"""The catalog as values: products, license types, and what each type asks for.

Reads the catalog file's text; knows no database. No product is named here: whatever the file
says, the rules of ``eligibility`` take from these values.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from webapp.licensing import people
from webapp.licensing.errors import LicensingError, Problem, has_unseen
from webapp.words import ContactPadRule, Role

_KEY = re.compile(r"[a-z][a-z0-9_]{0,29}")


@dataclass(frozen=True)
class Demo:
    """The worked example's figures for one license type; used by ``demo`` alone."""

    contracted: int = 0
    max_overage: int | None = 0
    assigned: int = 0


@dataclass(frozen=True)
class LicenseType:
    """What a user can hold of a product, and what it asks for (E1 to E4). ``id`` 0: not stored."""

    product: str
    product_name: str
    key: str
    name: str
    allows: str
    role: Role = Role.NONE
    contactpad: ContactPadRule = ContactPadRule.NEVER
    bases: frozenset[str] = frozenset()  # refs of base types; empty: any
    needs_contactpad: bool = False
    needs_webrtc: bool = False
    demo: Demo = Demo()
    alone: bool = False  # the only type of its product
    base: bool = False  # of the base product
    id: int = 0
    product_id: int = 0

    @property
    def ref(self) -> str:
        """The name every door uses: ``product/type``."""
        return f"{self.product}/{self.key}"

    @property
    def full_name(self) -> str:
        """Product and type in words; the product alone says it all if there is only one type."""
        return self.product_name if self.alone else f"{self.product_name} {self.name}"

    @property
    def short_name(self) -> str:
        """For a narrow place: of the base product the type alone says it."""
        return self.name if self.base else self.full_name


@dataclass(frozen=True)
class Product:
    """Something licensed, with its types in their order."""

    key: str
    name: str
    base: bool
    types: tuple[LicenseType, ...]
    short: str = ""
    id: int = 0

    def named(self, name: str) -> LicenseType | None:
        """The type of this name or key, ignoring case."""
        wanted = name.casefold()
        return next((t for t in self.types if wanted in (t.name.casefold(), t.key)), None)

    @property
    def choices(self) -> str:
        """The names of its types, for a sentence."""
        return enumerate_words([t.name for t in self.types])


@dataclass(frozen=True)
class Catalog:
    """All products, the base product first."""

    products: tuple[Product, ...]

    @property
    def loaded(self) -> "Catalog":
        """Itself. Raises LicensingError if no catalog was loaded."""
        if not self.products:
            raise LicensingError([Problem("catalog_missing", "catalog")])
        return self

    @property
    def base(self) -> Product:
        """The base product (V1). Raises LicensingError if no catalog was loaded."""
        return self.loaded.products[0]

    @cached_property
    def types(self) -> dict[str, LicenseType]:
        """Every license type by its ref, in the catalog's order."""
        return {t.ref: t for product in self.products for t in product.types}

    def product(self, key: str) -> Product | None:
        """The product of this key."""
        return next((p for p in self.products if p.key == key), None)


def enumerate_words(words: list[str]) -> str:
    """``A, B or C``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def parse_catalog(text: str) -> Catalog:
    """The catalog in a TOML text. Raises LicensingError with every fault found."""
    faults: list[Problem] = []

    def fault(where: str, reason: str) -> None:
        faults.append(Problem("catalog_shape", "catalog", {"where": where, "reason": reason}))

    try:
        tables = tomllib.loads(text).get("product", [])
    except tomllib.TOMLDecodeError as error:
        fault("the file", str(error))
        raise LicensingError(faults) from None
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        fault("product", "must be [[product]] tables")
        raise LicensingError(faults)
    products = [_product(table, fault) for table in tables]
    if [p.base for p in products].count(True) != 1 or not products[0].base:
        fault("product", "exactly one product must have base = true, and it must stand first")
    for words in ([p.key for p in products], [p.name.casefold() for p in products]):
        for word in {w for w in words if words.count(w) > 1}:
            fault("product", f"“{word}” stands twice")
    columns = {name.casefold() for name in people.COLUMNS}
    for product in products:
        if product.name.casefold() in columns:
            fault(
                product.key, f"“{product.name}” can't be a product's name: it is a column of the users file"
            )
    bases = {t.ref for p in products if p.base for t in p.types}
    for product in products:
        for kind in product.types:
            for ref in sorted(kind.bases - bases):
                fault(kind.ref, f"bases names “{ref}”, which is no base license")
        if product.base and not any(t.role is Role.ADMIN for t in product.types):
            fault(product.key, 'one type must have role = "admin", or nobody could sign in')
    if faults:
        raise LicensingError(faults)
    return Catalog(tuple(products))


def _product(table: dict[str, Any], fault: Any) -> Product:
    key = _word(table, "key", "product", fault)
    name = _word(table, "name", f"product {key}", fault)
    _only(table, {"key", "name", "short", "base", "type"}, f"product {key}", fault)
    base = table.get("base") is True
    rows = table.get("type")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        fault(f"product {key}", "needs at least one [[product.type]]")
        rows = []
    types = tuple(_license_type(row, key, name, base, len(rows) == 1, fault) for row in rows)
    for words in ([t.key for t in types], [t.name.casefold() for t in types]):
        for word in {w for w in words if words.count(w) > 1}:
            fault(f"product {key}", f"the type “{word}” stands twice")
    if any(t.name.casefold() == "none" for t in types):
        fault(f"product {key}", "“None” can't be a type's name: it means no license in files")
    short = _word(table, "short", f"product {key}", fault) if "short" in table else name
    return Product(key, name, base, types, short)


def _license_type(
    row: dict[str, Any], product: str, product_name: str, base: bool, alone: bool, fault: Any
) -> LicenseType:
    key = _word(row, "key", f"a type of {product}", fault)
    where = f"{product}/{key}"
    own = {"role", "contactpad"} if base else {"bases", "needs_contactpad", "needs_webrtc"}
    _only(row, {"key", "name", "allows", "demo"} | own, where, fault)
    bases = row.get("bases", [])
    if not isinstance(bases, list) or not all(isinstance(ref, str) for ref in bases):
        fault(where, "bases must be a list of base licenses")
        bases = []
    flags = {name: row.get(name, False) for name in ("needs_contactpad", "needs_webrtc")}
    for name, value in flags.items():
        if not isinstance(value, bool):
            fault(where, f"{name} must be true or false")
    return LicenseType(
        product=product, product_name=product_name, key=key,
        name=_word(row, "name", where, fault),
        allows=_word(row, "allows", where, fault),
        role=_one_of(Role, row.get("role", Role.NONE), "role", where, fault),
        contactpad=_one_of(
            ContactPadRule, row.get("contactpad", ContactPadRule.NEVER), "contactpad", where, fault
        ),
        bases=frozenset(bases),
        needs_contactpad=flags["needs_contactpad"] is True,
        needs_webrtc=flags["needs_webrtc"] is True,
        alone=alone,
        base=base,
        demo=_demo(row.get("demo", {}), where, fault),
    )  # fmt: skip


def _demo(row: Any, where: str, fault: Any) -> Demo:
    if not isinstance(row, dict) or not all(type(value) is int and value >= 0 for value in row.values()):
        fault(where, "demo must hold whole numbers")
        return Demo()
    _only(row, {"contracted", "max_overage", "assigned"}, f"{where} demo", fault)
    return Demo(row.get("contracted", 0), row.get("max_overage", 0), row.get("assigned", 0))


def _word(table: dict[str, Any], name: str, where: str, fault: Any) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > 200 or has_unseen(value):
        fault(where, f"{name} is missing or not a short text")
        return "?"
    if name == "key" and not _KEY.fullmatch(value):
        fault(where, f"the key “{value}” must be lower-case letters, digits and _")
    return value.strip()


def _one_of(kind: Any, value: Any, name: str, where: str, fault: Any) -> Any:
    try:
        return kind(value)
    except ValueError:
        fault(where, f"{name} must be {enumerate_words([m.value for m in kind])}")
        return next(iter(kind))


def _only(table: dict[str, Any], known: set[str], where: str, fault: Any) -> None:
    for name in sorted(set(table) - known):
        fault(where, f"“{name}” is not known here")
