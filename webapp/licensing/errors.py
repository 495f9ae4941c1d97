"""Refusals as data, and the one place that turns them into sentences.

Every rule names what is wrong by a code and facts; each door shows the same words, and each
refusal says a way out. No rule is decided here. What was typed or stands in a file is repeated so
that it stays on its line: nobody can write a message of their own into ours.
"""

import dataclasses
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Wording(NamedTuple):
    """The rule's number, what is wrong, and what to do about it."""

    rule: str
    sentence: str
    way_out: str


_WORDS: dict[str, Wording] = {
    # The user record
    "username_missing": Wording("user record", "The username is missing.", "Enter 3 to 100 letters, digits, _ - . or @."),
    "username_space": Wording("user record", "“{value}” has a space; a username can't.", "Use {suggestion}."),
    "username_shape": Wording("user record", "“{value}” can't be a username.", "Use 3 to 100 ASCII letters, digits, _ - . or @."),
    "username_reserved": Wording("user record", "“{value}” is reserved.", "Choose another username."),
    "username_twice": Wording("user record", "“{value}” stands more than once in this file, on lines {lines}.", "Keep one of them; usernames are unique ignoring case."),
    "username_exists": Wording("user record", "“{value}” exists already, and changing users by a file is not yet supported.", "Take the row out of the file."),
    "username_taken": Wording("user record", "“{value}” can't be used.", "Choose another username."),
    "name_missing": Wording("user record", "The name is missing.", "Enter 1 to 100 characters."),
    "name_long": Wording("user record", "The name has {length} characters.", "Shorten it to 100."),
    "name_shape": Wording("user record", "The name has control characters, or nothing that can be seen.", "Type it again without them."),
    "email_missing": Wording("user record", "The email address is missing.", "Enter one, such as name@company.example."),
    "email_shape": Wording("user record", "“{value}” is not an email address.", "Enter one, such as name@company.example."),
    "sso_external_id_shape": Wording("user record", "The SSO external ID is longer than 255 characters or has control characters.", "Copy it again from the identity provider, or leave it blank."),
    "sso_external_id_taken": Wording("user record", "The SSO external ID “{value}” can't be used.", "Check it at the identity provider, or leave it blank."),
    "sso_external_id_twice": Wording("user record", "The SSO external ID “{value}” stands more than once in this file, on lines {lines}.", "Keep it for one person; it is unique."),
    "agent_id_shape": Wording("user record", "“{value}” can't be an agent ID.", "Use 1 to 20 ASCII letters or digits, or leave it blank: one will be made."),
    "agent_id_taken": Wording("user record", "The agent ID “{value}” can't be used.", "Choose another, or leave it blank: one will be made."),
    "agent_id_twice": Wording("user record", "The agent ID “{value}” stands more than once in this file, on lines {lines}.", "Keep it for one person, or leave it blank: one will be made."),
    "agent_id_without_contactpad": Wording("user record", "An agent ID needs ContactPad, and it is off.", "Turn ContactPad on, or leave the ID blank."),
    "group_shape": Wording("user record", "“{value}” can't be the name of a group.", "Use 1 to 100 characters without control characters."),
    "group_gone": Wording("groups", "The group “{value}” is not there any more: it was renamed or deleted.", "Choose again from the groups that there are."),
    "group_taken": Wording("groups", "“{value}” can't be used.", "Choose another name."),
    "means_nothing": Wording("files", "“{value}” can't be used: in a file it means that there is none.", "Choose another."),
    "group_sign": Wording("groups", "“{value}” has ; or : in it, which separate groups in a file.", "Leave them out."),
    "group_not_empty": Wording("groups", "Users are in “{value}”.", "Take them out first, in their own forms; archived ones too."),
    "group_taken_up": Wording("P4", "“{value}” can't be deleted.", "Ask an admin."),
    "permissions_supervisor": Wording("P3", "Permissions and group access are for supervisors only.", "Leave them blank for {base}."),
    "permission_unknown": Wording("P3", "There is no permission “{value}”.", "Use some of {choices}; in a file separated by ;."),
    "access_twice": Wording("P3", "The group “{value}” stands twice with different access.", "Keep one of read and write; write includes read."),
    "admin_exists": Wording("S8", "An active admin exists already; nobody was made.", "Sign in as that admin."),
    # Changing users
    "loss_unconfirmed": Wording("E5", "They would lose {license}: {cause}", "Tick it under “What saving does” to accept that, or choose otherwise."),
    "agent_id_fixed": Wording("user record", "The agent ID {value} is fixed once set.", "Leave it as it is."),
    "last_admin": Wording("P3", "This is the last active admin.", "Make somebody else an admin first."),
    "own_base": Wording("P3", "Nobody changes their own license; yours is {license}.", "Ask another admin."),
    "own_permissions": Wording("P3", "Nobody changes their own permissions.", "Ask an admin."),
    "own_access": Wording("P3", "Nobody changes their own group access.", "Ask an admin."),
    "own_archive": Wording("P3", "Nobody archives themselves.", "Ask another admin."),
    "base_above": Wording("P3", "You can't give the license {license}: it is above your own.", "Ask an admin, or choose another."),
    "permission_not_held": Wording("P3", "You can't give the permission “{value}”: you don't have it.", "Leave it out, or ask an admin."),
    "access_beyond": Wording("P3", "You can't set this access to “{value}”: it is beyond your own.", "Leave it as it is, or ask an admin."),
    "access_unknown": Wording("P3", "You can't give this access.", "Leave it out, or ask an admin."),
    "group_needed": Wording("P2", "Nobody would see this user in your groups.", "Choose at least one group."),
    "out_of_reach": Wording("P6", "After this you could no longer edit {name}.", "Keep at least one of the groups that you may change."),
    "archived": Wording("S1", "They are archived.", "Reactivate them."),
    "active": Wording("S1", "They are active already.", "Nothing needs to be done."),
    "not_archived": Wording("user record", "Only an archived user can be deleted.", "Archive them first."),
    "version_missing": Wording("user record", "The form doesn't say which version of the user it changes.", "Open the page again and repeat the change."),
    "op_other": Wording("user record", "Your first try was saved.", "What you changed since was not: open it and change it there."),
    "op_shape": Wording("user record", "The form's own number can't be used.", "Open the page again and repeat the change."),
    # Licenses
    "license_missing": Wording("V1", "The {product} license is missing.", "Choose one of {choices}."),
    "license_unknown": Wording("V1", "There is no {product} license “{value}”.", "Choose one of {choices}."),
    "product_license_unknown": Wording("V2", "There is no {product} license “{value}”.", "Choose one of {choices}, or None."),
    "needs_base": Wording("E1", "{base} can't hold {license}.", "It needs {choices}."),
    "needs_contactpad": Wording("E2", "{license} needs ContactPad, and it is off.", "{contactpad_way}"),
    "needs_webrtc": Wording("E3", "{license} needs WebRTC, and it is off.", "{webrtc_way}"),
    "not_purchased": Wording("E3", "{license} was not purchased.", "Ask for a contract line, or leave it out."),
    "contactpad_always": Wording("E4", "{base} always has ContactPad; it can't be off.", "Set ContactPad to TRUE or leave it blank."),
    "contactpad_never": Wording("E4", "{base} can't have ContactPad.", "Set ContactPad to FALSE or leave it blank."),
    "webrtc_without_contactpad": Wording("E4", "WebRTC needs ContactPad, and it is off.", "{contactpad_way}"),
    # Seats
    "no_seat": Wording("S2", "{what}: {contracted} contracted{overage}, {assigned} assigned.", "Archive users or move them to another license, or ask for more in the contract."),
    "seat_gone": Wording("S5", "The last {license} seat was just taken.", "Try again to see what is left."),
    "overage_unconfirmed": Wording("S2", "This makes {after} of {contracted} {license} licenses; extra charges apply.", "{confirm}"),
    # Files
    "file_encoding": Wording("CSV", "This is not UTF-8 text.", "Save the file as “CSV UTF-8” and try again."),
    "file_empty": Wording("CSV", "The file has no header line.", "Start it with a line of column names."),
    "file_no_rows": Wording("CSV", "The file has a header but no rows.", "Add one line for each row."),
    "file_shape": Wording("CSV", "The file can't be read from here on: {reason}.", "Look for a quote that is not closed."),
    "file_long": Wording("CSV", "The file has more than {limit} rows.", "Split it into smaller files."),
    "file_separator": Wording("CSV", "The cells are separated by {separator}, not by commas.", "Save the file as “CSV UTF-8” with commas and try again."),
    "file_known": Wording("user record", "All {number} users of this file exist already, and changing users by a file is not yet supported.", "Put only new users into the file."),
    "column_missing": Wording("CSV", "The column {column} is missing.", "Add it to the header line."),
    "column_twice": Wording("CSV", "The column {column} stands twice in the header.", "Keep one of them."),
    "cells_extra": Wording("CSV", "The line has more cells than the header has columns.", "Put a value that has a comma in double quotes."),
    "cell_flag": Wording("CSV", "“{value}” is neither TRUE nor FALSE.", "Write TRUE or FALSE, or leave it blank."),
    "cell_moment": Wording("CSV", "“{value}” is not a date and time.", "Write it like 2026-11-03T07:30:00Z, or leave it blank."),
    "cell_moment_range": Wording("CSV", "“{value}” is before 1990, or later than a day after the file's own date, {as_of}.", "Correct it, or leave it blank."),
    "cell_long": Wording("CSV", "The cell has {length} characters; the most is {most}.", "Shorten it."),
    "cell_access": Wording("CSV", "“{value}” is not a group access.", "Write it like Billing:write;Night shift:read."),
    "cell_nul": Wording("CSV", "The cell has a NUL character.", "Remove it."),
    # Contract
    "contract_license_unknown": Wording("contract", "There is no license type “{value}”.", "Use one of {choices}."),
    "contract_number": Wording("contract", "“{value}” is not a whole number from 0 to 10,000,000.", "{way}"),
    "contract_day": Wording("contract", "“{value}” is not a day.", "Write it like 2026-01-31."),
    "contract_twice": Wording("contract", "{license} from {day} stands more than once in this file, on lines {lines}.", "Keep one of them."),
    # Catalog file
    "catalog_shape": Wording("catalog", "{where}: {reason}.", "Correct the catalog file."),
    "catalog_missing": Wording("catalog", "No catalog is loaded.", "Run: license-desk init"),
    "catalog_base": Wording("catalog", "{old} must stay the base product: users hold its licenses.", "Keep base = true there in the catalog file."),
    "catalog_in_use": Wording("catalog", "{license} can't be removed: it is held, offered or contracted, now or in the past.", "Keep it in the catalog file."),
    # Signing in and passwords
    "link_own": Wording("P3", "Nobody makes a link for themselves.", "Change your own password on the page “Your account”."),
    "link_useless": Wording("P1", "{name} can't sign in here.", "Give them an admin license, or a supervisor's with the permission to access user admin."),
    "password_wrong": Wording("password", "This is not your password.", "Type it again; “Show” shows what you typed."),
    "password_asked": Wording("password", "You typed your password more than half an hour ago.", "Type it again to change what others may do here."),
    "password_common": Wording("password", "This password is among the first that anybody tries.", "Choose one that is not made of common words, names or keys in a row; a short sentence is good."),
    "password_same": Wording("password", "This is your current password.", "Choose another."),
    "password_short": Wording("password", "The password has {length} characters.", "Use at least 15; a short sentence is good."),
    "password_long": Wording("password", "The password has {length} characters.", "Use at most 128."),
    "password_encoding": Wording("password", "The password is not UTF-8 text.", "Choose another, or send it as UTF-8."),
}  # fmt: skip

# Control characters, lone surrogates, line breaks in disguise, and the marks that turn the
# direction of the text around them and could make one name look like another.
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
_TURNING = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def has_unseen(text: str) -> bool:
    """Whether a character in it shows nothing itself, but breaks the line or turns the text around it."""
    return not text.isprintable() and any(map(_is_unseen, text))


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN or character in _TURNING


def shown(text: str, longest: int = 60) -> str:
    """A text from outside as one of our lines may repeat it: what is unseen escaped, the rest cut."""
    seen = "".join(ascii(c)[1:-1] if _is_unseen(c) else c for c in text[: longest + 1])
    return seen if len(seen) <= longest else f"{seen[: longest - 1]}…"


def first_few(things: Sequence[object], most: int = 5) -> str:
    """``2, 3, 4, 5, 6 and 95 more``: as many as a sentence can carry."""
    more = f" and {len(things) - most:,} more" if len(things) > most else ""
    return ", ".join(map(str, things[:most])) + more


@dataclass(frozen=True)
class Problem:
    """One refusal: a code of the table above, the field it stands at, its facts, and a file's line."""

    code: str
    field: str
    facts: Mapping[str, object] = dataclasses.field(default_factory=dict)
    line: int | None = None

    @property
    def rule(self) -> str:
        """The number of the rule in DESIGN's words, such as ``E1``."""
        return _WORDS[self.code].rule

    @property
    def sentence(self) -> str:
        """What is wrong."""
        return _WORDS[self.code].sentence.format_map(self._shown)

    @property
    def way_out(self) -> str:
        """What to do about it."""
        return _WORDS[self.code].way_out.format_map(self._shown)

    @property
    def _shown(self) -> dict[str, str]:
        """The facts as a sentence may repeat them; a ``value`` is what somebody wrote."""
        return {name: shown(str(fact), 60 if name == "value" else 500) for name, fact in self.facts.items()}

    def __str__(self) -> str:
        """One line for the command line: line, field, rule, what is wrong, way out."""
        where = f"line {self.line}, " if self.line else ""
        return f"{where}{shown(self.field)} ({self.rule}): {self.sentence} {self.way_out}"


class LicensingError(Exception):
    """An operation was refused; nothing was changed."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems in their order; there is at least one."""
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """A line for each, made only when somebody reads them: a file may have 100,000."""
        return "\n".join(map(str, self.problems))


class NotThereError(Exception):
    """There is no such user, group or change, or the actor may not view it: the same to whoever asks (P5)."""


class NotAllowedError(Exception):
    """The actor may view this, but not do it (P2, P5)."""


class StaleError(Exception):
    """Somebody else saved the user meanwhile; nothing was changed. ``record``: how they are now."""

    def __init__(self, record: object) -> None:
        """Keep the record as it is now."""
        self.record = record
        super().__init__(record)
