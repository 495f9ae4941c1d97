"""How files are read: shape, lines, the formula guard, and what a cell means."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.licensing.pure import CATALOG, codes, plan
from webapp.licensing import csvfile
from webapp.licensing.contracts import read_contract
from webapp.licensing.errors import LicensingError
from webapp.licensing.importing import UsersFile, at_columns, read_users
from webapp.words import AccessLevel

AS_OF = date(2026, 11, 24)
HEAD = "Username,Name,Email,License"


def read(text: str | bytes) -> UsersFile:
    return read_users(text if isinstance(text, bytes) else text.encode(), CATALOG, AS_OF)


def refused(text: str | bytes) -> list[str]:
    with pytest.raises(LicensingError) as error:
        read(text)
    return [problem.code for problem in error.value.problems]


def test_a_full_row_is_read_by_column_name_in_any_order_and_case() -> None:
    found = read(
        "license,EMAIL,name,username,ID,ContactPad,WebRTC,Groups,Historical Analytics,User Last Login,"
        "Permissions,Group Access,SSO External Id,User Active,Shoe size\n"
        "Supervisor,a@b.example,Ann,ann,77,TRUE,true,Billing; Floor 2;,Viewer,2026-11-03T07:30:00+01:00,"
        "access;edit,Billing:write;Night: shift:read,x9,FALSE,42\n"
    )
    assert found.problems == ()
    assert found.ignored == ("Shoe size",)
    (wish,) = found.wishes
    assert (wish.username, wish.agent_id, wish.contactpad, wish.webrtc) == ("ann", "77", True, True)
    assert wish.licenses == {"vcc": "Supervisor", "ha": "Viewer", "enc": "", "accent": ""}
    assert wish.groups == ("Billing", "Floor 2")
    assert wish.permissions == {"access", "edit"}
    assert wish.access == {"Billing": AccessLevel.WRITE, "Night: shift": AccessLevel.READ}
    assert (wish.active, wish.sso_external_id, wish.line) == (False, "x9", 2)
    assert wish.last_login == datetime(2026, 11, 3, 6, 30, tzinfo=UTC)
    assert wish.last_login_as_of == AS_OF


def test_blank_cells_are_as_a_new_user_starts_and_none_empties() -> None:
    found = read(
        f"{HEAD},Groups,Historical Analytics,ContactPad,Permissions\nann,Ann,a@b.example,Agent,None,none,,\n"
    )
    (wish,) = found.wishes
    assert (wish.active, wish.contactpad, wish.permissions, wish.access) == (True, None, None, None)
    assert wish.groups == ()
    assert wish.licenses["ha"] == ""


def test_every_wrong_cell_is_named_with_its_line_and_a_way_out() -> None:
    found = read(
        f"{HEAD},User Active,ContactPad,User Last Login,Permissions,Group Access\n"
        'ann,"Ann\nLee",a@b.example,Agent,yes,1,yesterday,root,Billing\n'
        "bob,Bob,b@b.example,Agent,,,,,\n"
    )
    assert sorted((p.line, p.code, p.field) for p in found.problems) == [
        (2, "cell_access", "access"), (2, "cell_flag", "active"), (2, "cell_flag", "contactpad"),
        (2, "cell_moment", "last_login"),
    ]  # fmt: skip
    assert "permission_unknown" in codes(plan(found.wishes[0]))  # a word, and so the plan's to judge
    assert all(problem.way_out for problem in found.problems)
    assert found.wishes[1].line == 4  # the first row takes two lines


@pytest.mark.case("ASVS 5.2.2")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff\xfe", "file_encoding"),
        ("Name\nJos\xe9\n".encode("latin-1"), "file_encoding"),
        (b"", "file_empty"),
        (b"\xef\xbb\xbf\n", "file_empty"),
        (f"{HEAD}\n".encode(), "file_no_rows"),
        (b"Name,Email,License\nA,b,c\n", "column_missing"),
        (f"{HEAD},Name\na,b,c,d,e\n".encode(), "column_twice"),
        (f'{HEAD}\nann,"Ann,a@b.example,Agent\nbob,Bob,b@b.example,Agent\n'.encode(), "file_shape"),
        (f"{HEAD}\nann,Ann,a@b.example,Agent,more\n".encode(), "cells_extra"),
        (f"{HEAD}\nann,Ann,a@b.example,Agent\n".replace(",", ";").encode(), "file_separator"),
        (f"\ufeff{HEAD}\n".replace(",", '";"').encode(), "file_separator"),
        (f"{HEAD}\nann,Ann,a@b.example,Agent\n".replace(",", "\t").encode(), "file_separator"),
        (f"{HEAD}\nann,A\0nn,a@b.example,Agent\n".encode(), "cell_nul"),
        (f"{HEAD}\nann,{'x' * 200_000},a@b.example,Agent\n".encode(), "file_shape"),
    ],
)
def test_a_file_that_cant_be_read_is_refused_with_the_reason(data: bytes, code: str) -> None:
    assert code in refused(data)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("0001-01-01T00:00:00+14:00", "cell_moment_range"), ("1989-12-31T23:59:59Z", "cell_moment_range"),
        ("9999-12-31T23:59:59-14:00", "cell_moment_range"), ("2026-11-26T00:00Z", "cell_moment_range"),
        ("2026-W01-1", "cell_moment"), ("2026-11-03", "cell_moment"), ("20261103T073000", "cell_moment"),
        ("2026-11-03T07", "cell_moment"), ("2026-02-30T07:30", "cell_moment"), ("٢٠٢٦-11-03T07:30", "cell_moment"),
        ("2026-11-03T07:30:00+0100", "cell_moment"), ("2026-11-03x07:30", "cell_moment"),
    ],
)  # fmt: skip
def test_a_sign_in_that_no_portal_can_have_told_is_an_error_of_the_row(cell: str, code: str) -> None:
    (problem,) = read(f"{HEAD},User Last Login\nann,Ann,a@b.example,Agent,{cell}\n").problems
    assert (problem.code, problem.line, problem.field) == (code, 2, "last_login")


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("1990-01-01 00:00", datetime(1990, 1, 1, tzinfo=UTC)),
        ("2026-11-25T23:59:59.5Z", datetime(2026, 11, 25, 23, 59, 59, 500_000, tzinfo=UTC)),
        ("2026-11-03 07:30:00-05:30", datetime(2026, 11, 3, 13, tzinfo=UTC)),
    ],
)
def test_a_sign_in_is_read_in_each_plain_spelling(cell: str, moment: datetime) -> None:
    found = read(f"{HEAD},User Last Login\nann,Ann,a@b.example,Agent,{cell}\n")
    assert found.problems == ()
    assert found.wishes[0].last_login == moment


@pytest.mark.case("ASVS 5.2.1")
def test_a_cell_of_more_than_10_000_characters_is_told_once_and_counts_as_blank() -> None:
    found = read(f"{HEAD},Remarks\nann,{'x' * 10_001},a@b.example,Agent,{'y' * 20_000}\n")
    assert found.wishes[0].name == ""
    (told,) = at_columns([*found.problems, *plan(*found.wishes).refusals], CATALOG)
    assert str(told) == "line 2, Name (CSV): The cell has 10,001 characters; the most is 10,000. Shorten it."
    assert read(f"{HEAD}\nann,{'x' * 10_000},a@b.example,Agent\n").problems == ()


def test_a_group_with_read_and_with_write_in_one_cell_is_an_error_of_the_row() -> None:
    for cell in ("Billing:read;Billing:write", "Billing:read; billing:write"):
        found = read(f"{HEAD},Group Access\nann,Ann,a@b.example,Supervisor,{cell}\n")
        told = [*found.problems, *plan(*found.wishes).refusals]
        assert [(problem.code, problem.line) for problem in told] == [("access_twice", 2)]


def test_a_bom_is_no_part_of_the_first_column() -> None:
    assert len(read(b"\xef\xbb\xbf" + f"{HEAD}\nann,Ann,a@b.example,Agent\n".encode()).wishes) == 1


@pytest.mark.case("ASVS 5.2.1")
def test_a_file_with_too_many_rows_is_refused_with_the_limit() -> None:
    data = "A\n" + "x\n" * 11
    with pytest.raises(LicensingError, match="more than 10 rows"):
        csvfile.read(data.encode(), required=["A"], limit=10)


@pytest.mark.case("CSV-1")
@given(st.text(max_size=20))
def test_import_takes_off_exactly_the_guard_that_an_export_puts_on(cell: str) -> None:
    dangerous = cell.startswith(("=", "+", "-", "@", "\t", "\r", "'"))
    assert csvfile.unguard(f"'{cell}" if dangerous else cell) == cell


def test_a_contract_file_is_read_whole_or_not_at_all() -> None:
    good = (
        b"License,Contracted,Max overage,Starts on\nvcc/agent,300,15,2026-01-01\nha/viewer,30,,2026-03-01\n"
    )
    lines = read_contract(good, CATALOG)
    assert [(line.type.ref, line.contracted, line.max_overage) for line in lines] == [
        ("vcc/agent", 300, 15), ("ha/viewer", 30, None)
    ]  # fmt: skip
    bad = (
        "License,Contracted,Max overage,Starts on\nvcc/agnet,1,0,2026-01-01\nvcc/agent,-1,x,01.02.2026\n"
        "vcc/admin,²,0,2026-02-30\nvcc/agent,1,0,2026-01-01\nvcc/agent,2,0,2026-01-01\n"
    )
    with pytest.raises(LicensingError) as error:
        read_contract(bad.encode(), CATALOG)
    assert [(p.line, p.code) for p in error.value.problems] == [
        (2, "contract_license_unknown"), (3, "contract_number"), (3, "contract_number"), (3, "contract_day"),
        (4, "contract_number"), (4, "contract_day"), (5, "contract_twice"), (6, "contract_twice"),
    ]  # fmt: skip
