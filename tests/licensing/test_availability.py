"""S2, S3 and S6 in the pure core, and the states of a card in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.licensing.pure import codes, facts, plan, pool, wish
from webapp.licensing.availability import Verdict, state_in_parts, state_in_words

AGENT = "vcc/agent"


@pytest.mark.parametrize(
    ("contracted", "max_overage", "assigned", "words", "brief"),
    [
        (300, 15, 250, "50 available", "50 available"),
        (300, 0, 300, "Full", "Full"),
        (300, 15, 300, "Full · 15 more at extra charge", "Full · 15 more"),
        (300, 15, 310, "10 over, at extra charge · 5 more possible", "10 over · 5 more"),
        (300, 15, 315, "15 over, at extra charge · no new seats", "no new seats"),
        (300, 0, 330, "30 over the contract · no new seats", "no new seats"),
        (300, 15, 330, "30 over the contract · no new seats", "no new seats"),
        (50, None, 20, "30 available · No upper limit · extra charge above 50", "30 available"),
        (50, None, 50, "0 available · No upper limit · extra charge above 50", "No upper limit"),
        (50, None, 53, "3 over, at extra charge · no upper limit", "3 over · no limit"),
        (0, 0, 0, "Not purchased", "Not purchased"),
        (0, 0, 1, "1 over the contract · no new seats", "no new seats"),
        (1300, 0, 0, "1,300 available", "1,300 available"),
    ],
)
def test_a_cards_state_in_words_and_in_as_few_as_a_narrow_card_has_room_for(
    contracted: int, max_overage: int | None, assigned: int, words: str, brief: str
) -> None:
    figures = pool(AGENT, contracted, max_overage, assigned)
    assert state_in_words(figures) == words
    assert "".join(state_in_parts(figures)[::2]) == brief


@pytest.mark.parametrize(
    ("assigned", "taking", "verdict"),
    [
        (299, 1, Verdict.WITHIN), (300, 1, Verdict.OVERAGE), (314, 1, Verdict.OVERAGE),
        (315, 1, Verdict.REFUSED), (250, 50, Verdict.WITHIN), (250, 51, Verdict.OVERAGE),
        (250, 65, Verdict.OVERAGE), (250, 66, Verdict.REFUSED),
        (330, 0, Verdict.WITHIN), (330, -1, Verdict.WITHIN),
    ],
)  # fmt: skip
def test_S2_within_contracted_then_overage_then_refused(assigned: int, taking: int, verdict: Verdict) -> None:
    assert pool(AGENT, 300, 15, assigned).verdict(taking) is verdict


@given(st.integers(0, 50), st.none() | st.integers(0, 50), st.integers(0, 150), st.integers(1, 50))
def test_S2_the_limit_agrees_with_the_verdict(
    contracted: int, overage: int | None, assigned: int, net: int
) -> None:
    figures = pool(AGENT, contracted, overage, assigned)
    verdict = figures.verdict(net)
    confirmed, plain = figures.limit(True), figures.limit(False)
    fits = confirmed is None or assigned + net <= confirmed
    assert fits is (verdict is not Verdict.REFUSED)
    assert (plain is not None and assigned + net <= plain) is (verdict is Verdict.WITHIN)
    assert (figures.room is None or net <= figures.room) is fits


def test_S2_no_cap_is_never_refused_but_always_asked() -> None:
    result = plan(wish(), known=facts(pools={AGENT: pool(AGENT, 1, None, 5)}))
    assert codes(result) == []
    assert result.overage == {AGENT}


def test_S2_the_refusal_names_figures_and_a_way_out() -> None:
    many = [wish(username=f"ann{n}", line=n + 2) for n in range(3)]
    (refusal,) = plan(*many, known=facts(pools={AGENT: pool(AGENT, 300, 15, 314)})).refusals
    assert refusal.rule == "S2"
    assert refusal.sentence == (
        "3 Agent licenses wanted, 1 left: 300 contracted, 15 more at extra charge, 314 assigned."
    )
    assert "more in the contract" in refusal.way_out
    (one,) = plan(
        wish("supervisor"), known=facts(pools={"vcc/supervisor": pool("vcc/supervisor", 3, 0, 3)})
    ).refusals
    assert one.sentence == "No Supervisor license is left: 3 contracted, 3 assigned."


def test_S3_the_net_effect_of_all_users_counts() -> None:
    result = plan(*(wish(username=f"ann{n}") for n in range(7)), wish("admin", username="boss"))
    assert {effect.before.type.ref: effect.net for effect in result.pools} == {AGENT: 7, "vcc/admin": 1}


def test_S1_an_archived_user_takes_no_seat_even_in_a_full_pool() -> None:
    result = plan(wish(active=False), known=facts(pools={AGENT: pool(AGENT, 0)}))
    assert codes(result) == []
    assert result.pools == ()


def test_E3_what_was_not_purchased_cant_be_chosen() -> None:
    accent = "accent/enabled"
    wanted = wish(webrtc=True, licenses={"accent": "enabled"}, line=7)
    (refusal,) = plan(wanted, known=facts(pools={accent: pool(accent, 0)})).refusals
    assert (refusal.rule, refusal.line, refusal.code) == ("E3", 7, "not_purchased")


def test_S6_a_pool_over_its_contract_gives_no_seat_and_takes_none_away() -> None:
    figures = pool(AGENT, 40, 5, 50)
    assert figures.available == -10
    assert figures.room == 0
    assert figures.verdict(1) is Verdict.REFUSED
    assert figures.verdict(-1) is Verdict.WITHIN
