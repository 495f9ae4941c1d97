"""The user record's shape, folding, and what must be unique."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.licensing.pure import codes, facts, plan, wish
from webapp.licensing import people
from webapp.words import AccessLevel


@pytest.mark.parametrize("value", ["ann", "A.B-c_d@e.f", "a" * 100, "007"])
def test_a_username_of_letters_digits_and_four_signs_is_fine(value: str) -> None:
    assert people.check_username(value) is None


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "username_missing"), ("ab", "username_shape"), ("a" * 101, "username_shape"),
        ("ann lee", "username_space"), ("a b", "username_space"), ("ä nn", "username_space"),
        ("änn", "username_shape"), ("ann!", "username_shape"), ("ann\n", "username_space"),
        ("new", "username_reserved"), ("NEW", "username_reserved"), ("ann\0", "username_shape"),
        ("аnn", "username_shape"),
    ],
)  # fmt: skip
def test_any_other_username_is_refused(value: str, code: str) -> None:
    problem = people.check_username(value)
    assert problem
    assert problem.code == code
    assert problem.way_out


def test_a_username_with_a_space_is_offered_without_it() -> None:
    problem = people.check_username("Samira Haddad")
    assert problem
    assert problem.way_out == "Use samira.haddad."


@pytest.mark.parametrize("value", ["Ann", "محمد", "李", "👩‍💻 Ann", "O'Brien", "x" * 100, "José"])
def test_a_name_in_any_script_is_fine(value: str) -> None:
    assert people.check_name(value) is None


@pytest.mark.parametrize("value", ["", "x" * 101, "a\0b", "a\nb", "\u202eabc", "\u200b", " ", "a\x7f"])
def test_a_name_that_cant_be_seen_or_turns_the_text_is_refused(value: str) -> None:
    problem = people.check_name(value)
    assert problem
    assert problem.field == "name"


@pytest.mark.parametrize("value", ["ann@company.example", "a+b@c.local", "é@ö.example"])
def test_an_email_address_as_mail_programs_take_it_is_fine(value: str) -> None:
    assert people.check_email(value) is None


@pytest.mark.parametrize(
    "value", ["", "ann", "ann@", "@b.example", "a@@b.example", "a b@c.example", "a@host", "a@b.example\n"]
)
def test_a_broken_email_address_is_refused(value: str) -> None:
    problem = people.check_email(value)
    assert problem
    assert problem.field == "email"


@pytest.mark.parametrize("value", ["None", "NONE", "none"])
def test_nothing_is_called_as_a_file_calls_nothing(value: str) -> None:
    for check in (people.check_sso_external_id, people.check_group_name):
        problem = check(value)
        assert problem
        assert problem.code == "means_nothing"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Nuñez", "nunez"), ("Söderström", "soderstrom"), ("Ø", "o"), ("Łukasz", "lukasz"), ("ß", "ss"),
        ("Đorđe", "dorde"), ("İI", "ii"), ("ı", "i"), ("Æ", "ae"), ("Œuvre", "oeuvre"), ("ﬁ", "fi"),
        ("Ａ", "a"), ("محمد", "محمد"), ("مُحَمَّد", "محمد"), ("美咲", "美咲"), ("ANN", "ann"),
    ],
)  # fmt: skip
def test_text_folds_as_written_down(text: str, folded: str) -> None:
    assert people.fold(text) == folded


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once(text: str) -> None:
    once = people.fold(text)
    assert people.fold(once) == once


def test_group_names_differ_by_marks_but_not_by_case() -> None:
    assert people.group_key("BILLING") == people.group_key("Billing")
    assert people.group_key("नि") != people.group_key("नु")


def test_a_username_is_unique_ignoring_case_archived_included() -> None:
    known = facts(usernames=frozenset({"ann"}))
    assert codes(plan(wish(username="ANN"), known=known)) == ["username_taken"]
    assert codes(plan(wish(username="ANN", line=2), known=known)) == ["username_exists"]
    twice = plan(wish(username="ann", line=2), wish(username="Ann", line=3))
    assert codes(twice) == ["username_twice", "username_twice"]
    assert [refusal.line for refusal in twice.refusals] == [2, 3]


def test_agent_id_and_sso_id_are_unique() -> None:
    known = facts(agent_ids=frozenset({"4001"}), sso_external_ids=frozenset({"x1"}))
    assert codes(plan(wish(agent_id="4001"), known=known)) == ["agent_id_taken"]
    assert codes(plan(wish(sso_external_id="x1"), known=known)) == ["sso_external_id_taken"]
    both = plan(wish(username="ann", agent_id="7"), wish(username="bob", agent_id="7"))
    assert codes(both) == ["agent_id_twice", "agent_id_twice"]


@pytest.mark.parametrize("value", ["1234", "A1b2", "x" * 20])
def test_an_agent_id_of_letters_and_digits_is_fine(value: str) -> None:
    assert codes(plan(wish(agent_id=value))) == []


@pytest.mark.parametrize("value", ["12 34", "x" * 21, "a-b", "é"])
def test_any_other_agent_id_is_refused(value: str) -> None:
    assert codes(plan(wish(agent_id=value))) == ["agent_id_shape"]


def test_an_agent_id_needs_contactpad() -> None:
    assert codes(plan(wish("wallboard", agent_id="77"))) == ["agent_id_without_contactpad"]
    assert codes(plan(wish("supervisor", contactpad=True, agent_id="77"))) == []


def test_P3_a_new_supervisor_starts_with_access_and_read_on_their_own_groups() -> None:
    user = plan(wish("supervisor", groups=("Billing", "Floor 2"))).users[0].after
    assert user.permissions == {"access"}
    assert user.access == {"Billing": AccessLevel.READ, "Floor 2": AccessLevel.READ}


def test_P3_a_supervisor_with_named_rights_starts_with_exactly_those() -> None:
    rights = frozenset({"access", "edit"})
    user = plan(wish("supervisor", groups=("Billing",), permissions=rights, access={})).users[0].after
    assert user.permissions == rights
    assert user.access == {}


def test_P3_each_of_permissions_and_group_access_starts_for_itself() -> None:
    floor = {"Floor 2": AccessLevel.WRITE}
    named = plan(wish("supervisor", groups=("Billing",), permissions=frozenset({"edit"}))).users[0].after
    assert (named.permissions, named.access) == ({"edit"}, {"Billing": AccessLevel.READ})
    given = plan(wish("supervisor", groups=("Billing",), access=floor)).users[0].after
    assert (given.permissions, given.access) == ({"access"}, floor)


def test_P3_a_permission_that_is_none_is_refused_through_every_door() -> None:
    (refusal,) = plan(wish("supervisor", permissions=frozenset({"access", "root"}))).refusals
    assert str(refusal) == (
        "permissions (P3): There is no permission “root”. "
        "Use some of access, create, edit, unassigned, groups; in a file separated by ;."
    )


def test_P3_what_a_supervisor_alone_may_have_is_refused_with_the_base_license_in_the_sentence() -> None:
    (refusal,) = plan(wish("admin", permissions=frozenset({"access"}))).refusals
    assert refusal.way_out == "Leave them blank for an Admin."


@pytest.mark.parametrize("base", ["agent", "wallboard", "admin"])
def test_P3_permissions_and_group_access_are_for_supervisors_only(base: str) -> None:
    assert codes(plan(wish(base, permissions=frozenset({"access"})))) == ["permissions_supervisor"]
    assert codes(plan(wish(base, access={"Billing": AccessLevel.READ}))) == ["permissions_supervisor"]


def test_groups_not_there_yet_are_made_once_whatever_their_case() -> None:
    first, second = (
        wish(username="ann", groups=("Billing",)),
        wish(username="bob", groups=("BILLING", "Floor")),
    )
    assert plan(first, second).new_groups == ("Billing", "Floor")
    known = facts(groups={"billing": "Billing"})
    assert plan(first, second, known=known).new_groups == ("Floor",)


def test_a_group_named_twice_counts_once_and_by_its_trimmed_name() -> None:
    again = {"billing ": AccessLevel.READ, "Billing": AccessLevel.READ}
    made = plan(wish("supervisor", groups=(" Billing", "BILLING", "Floor"), access=again))
    user = made.users[0].after
    assert (user.groups, user.access) == (("Billing", "Floor"), {"Billing": AccessLevel.READ})
    assert made.new_groups == ("Billing", "Floor")


def test_a_group_with_read_and_with_write_is_refused() -> None:
    both = {"Billing": AccessLevel.READ, "billing": AccessLevel.WRITE}
    (refusal,) = plan(wish("supervisor", access=both)).refusals
    assert (refusal.code, refusal.field) == ("access_twice", "access")


def test_a_value_that_stands_on_very_many_lines_is_told_with_the_first_few() -> None:
    twice = plan(*(wish(username="ann", line=line) for line in range(2, 102)))
    assert len(twice.refusals) == 100
    assert "on lines 2, 3, 4, 5, 6 and 95 more." in twice.refusals[0].sentence


@pytest.mark.parametrize(
    "field", ["username", "name", "email", "sso_external_id", "agent_id", "groups", "permissions", "licenses"]
)
def test_bytes_that_are_no_text_are_refused_by_the_shape_of_the_field(field: str) -> None:
    broken: object = "a\udcffb"
    if field in ("groups", "permissions", "licenses"):
        broken = {"groups": (broken,), "permissions": frozenset({broken}), "licenses": {"ha": broken}}[field]
    (refusal,) = plan(wish("supervisor", contactpad=True, **{field: broken})).refusals
    str(refusal).encode()


def test_what_a_refusal_repeats_can_neither_break_its_line_nor_fill_the_screen() -> None:
    (refusal,) = plan(wish(email="a@b\n1 problem. Nothing was changed.\x1b[2K\u202e" + "x" * 1000)).refusals
    assert refusal.sentence == (
        "“a@b\\n1 problem. Nothing was changed.\\x1b[2K\\u202exxxxxxxxxx…” is not an email address."
    )
