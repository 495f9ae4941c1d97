"""E1 to E4, V1 and V2 in the pure core: who may hold what, and what is said if not."""

import pytest

from tests.licensing.pure import codes, plan, wish
from webapp.licensing.catalog import parse_catalog
from webapp.licensing.consequences import Facts
from webapp.licensing.errors import LicensingError
from webapp.licensing.plan import plan_new_users as plan_with


@pytest.mark.parametrize("base", ["supervisor", "wallboard", "admin"])
@pytest.mark.parametrize("license", ["viewer", "creator"])
def test_E1_wallboard_supervisor_and_admin_may_hold_historical_analytics(base: str, license: str) -> None:
    result = plan(wish(base, licenses={"ha": license}))
    assert codes(result) == []
    assert [kind.ref for kind in result.users[0].after.licenses] == [f"vcc/{base}", f"ha/{license}"]


@pytest.mark.case("SEAT-2", "ASVS 2.2.3")
@pytest.mark.parametrize("license", ["viewer", "creator"])
def test_E1_an_agent_never_holds_historical_analytics_and_is_told_what_it_needs(license: str) -> None:
    (refusal,) = plan(wish("agent", licenses={"ha": license})).refusals
    assert (refusal.rule, refusal.field) == ("E1", "license_ha")
    assert refusal.sentence.startswith("An Agent can't hold Historical Analytics")
    assert refusal.way_out == "It needs Supervisor, Wallboard or Admin."


@pytest.mark.parametrize(
    ("base", "contactpad", "allowed"),
    [
        ("agent", None, True), ("agent", True, True), ("supervisor", True, True),
        ("supervisor", None, False), ("supervisor", False, False), ("admin", True, True),
        ("admin", None, False), ("wallboard", None, False),
    ],
)  # fmt: skip
def test_E2_noise_cancellation_needs_contactpad(base: str, contactpad: bool | None, allowed: bool) -> None:
    result = plan(wish(base, contactpad=contactpad, licenses={"enc": "enabled"}))
    assert codes(result) == ([] if allowed else ["needs_contactpad"])


def test_E2_the_way_out_for_a_wallboard_user_is_not_contactpad() -> None:
    (refusal,) = plan(wish("wallboard", licenses={"enc": "enabled"})).refusals
    assert "can't have ContactPad" in refusal.way_out


@pytest.mark.parametrize(
    ("base", "contactpad", "webrtc", "expected"),
    [
        ("agent", None, True, []),
        ("agent", None, False, ["needs_webrtc"]),
        ("supervisor", True, True, []),
        ("supervisor", True, False, ["needs_webrtc"]),
        ("supervisor", False, False, ["needs_contactpad"]),
        ("wallboard", None, False, ["needs_contactpad"]),
    ],
)
def test_E3_accent_conversion_needs_contactpad_with_webrtc(
    base: str, contactpad: bool | None, webrtc: bool, expected: list[str]
) -> None:
    made = wish(base, contactpad=contactpad, webrtc=webrtc, licenses={"accent": "enabled"})
    assert codes(plan(made)) == expected


@pytest.mark.parametrize(
    ("base", "wanted", "has", "problems"),
    [
        ("agent", None, True, []), ("agent", True, True, []),
        ("agent", False, True, ["contactpad_always"]),
        ("supervisor", None, False, []), ("supervisor", True, True, []), ("supervisor", False, False, []),
        ("admin", None, False, []), ("admin", True, True, []),
        ("wallboard", None, False, []), ("wallboard", False, False, []),
        ("wallboard", True, False, ["contactpad_never"]),
    ],
)  # fmt: skip
def test_E4_contactpad_follows_the_base_license(
    base: str, wanted: bool | None, has: bool, problems: list[str]
) -> None:
    result = plan(wish(base, contactpad=wanted))
    assert codes(result) == problems
    assert result.users[0].after.contactpad is has


@pytest.mark.parametrize(
    ("base", "contactpad"), [("supervisor", None), ("admin", False), ("wallboard", None)]
)
def test_E4_webrtc_only_with_contactpad(base: str, contactpad: bool | None) -> None:
    assert codes(plan(wish(base, contactpad=contactpad, webrtc=True))) == ["webrtc_without_contactpad"]


def test_E4_contactpad_for_a_supervisor_takes_no_agent_seat() -> None:
    result = plan(wish("supervisor", contactpad=True))
    assert {effect.before.type.ref: effect.net for effect in result.pools} == {"vcc/supervisor": 1}


@pytest.mark.parametrize(("license", "code"), [("", "license_missing"), ("agnet", "license_unknown")])
def test_V1_a_base_license_must_be_named_and_known(license: str, code: str) -> None:
    result = plan(wish(license))
    assert codes(result) == [code]
    assert result.refusals[0].way_out == "Choose one of Agent, Supervisor, Wallboard or Admin."
    assert result.users == ()


def test_V2_a_product_license_must_be_known_and_there_is_at_most_one_for_each_product() -> None:
    assert codes(plan(wish("admin", licenses={"ha": "editor"}))) == ["product_license_unknown"]
    held = plan(wish("admin", licenses={"ha": "Creator"})).users[0].after.licenses
    assert [kind.ref for kind in held] == ["vcc/admin", "ha/creator"]


def test_a_catalog_alone_decides_who_may_hold_what() -> None:
    catalog = parse_catalog("""
        [[product]]
        key = "phone"
        name = "Phone"
        base = true
        type = [
            {key = "boss", name = "Boss", allows = "All.", role = "admin", contactpad = "optional"},
            {key = "hand", name = "Hand", allows = "Some.", contactpad = "always"},
        ]
        [[product]]
        key = "fax"
        name = "Fax"
        type = [
            {key = "send", name = "Send", allows = "Sends.", bases = ["phone/boss"]},
            {key = "both", name = "Both", allows = "Sends and receives.", needs_webrtc = true},
        ]
    """)
    from webapp.licensing.availability import Figures

    known = Facts(catalog, {ref: Figures(t, 10, 0) for ref, t in catalog.types.items()})

    def asked(base: str, fax: str, **fields: object) -> list[str]:
        made = wish(base, licenses={"phone": base, "fax": fax}, **fields)
        return codes(plan_with([made], known))

    assert asked("boss", "send") == []
    assert asked("hand", "send") == ["needs_base"]
    assert asked("hand", "both") == ["needs_webrtc"]
    assert asked("hand", "both", webrtc=True) == []


def test_a_faulty_catalog_is_refused_with_every_fault() -> None:
    with pytest.raises(LicensingError) as refused:
        parse_catalog("""
            [[product]]
            key = "Big Key"
            name = "One"
            base = true
            type = [{key = "a", name = "A", allows = "x", contactpad = "sometimes"}]
            [[product]]
            key = "two"
            name = "Two"
            type = [{key = "b", name = "None", allows = "x", bases = ["one/zzz"], shade = 1}]
        """)
    told = str(refused.value)
    for fault in (
        "Big Key",
        "contactpad must be",
        "“None” can't be",
        "one/zzz",
        "is not known here",
        'role = "admin"',
    ):
        assert fault in told
