"""Where each message leads, as a table: facts in, step out."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from nodes.context import Limits
from nodes.plan_turn import plan, plan_turn
from nodes.state import SupportState

VERIFIED = {"level": 2, "customer": "cus_1", "email": "ada@example.com", "challenge": "none", "attempt": None}
ANONYMOUS = {"level": 0, "customer": None, "email": None, "challenge": "none", "attempt": None}
CASE = {"id": "c", "digest": "d", "kind": "refund", "customer": "cus_1", "amount": 4900, "currency": "usd"}


def state(*readings: tuple[str, float], text: str = "words", **more: Any) -> SupportState:
    slots = more.pop("slots", {})
    turn = {"message_id": "m", "text": text, "screen": more.pop("screen", "safe"), "readings": readings, "slots": slots}
    turn["answer"] = more.pop("answer", None)
    return {"turn": turn, "identity": ANONYMOUS, **more}  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("given", "step"),
    [
        (state(("greeting", 0.9)), "greet"),
        (state(("policy_question", 0.9)), "answer_policy"),
        (state(("out_of_scope", 0.9)), "redirect"),
        (state(("duplicate_charge", 0.9)), "identify_user"),
        (state(("duplicate_charge", 0.9), identity=VERIFIED), "fetch_billing"),
        (state(("refund_request", 0.9), identity={**VERIFIED, "level": 1}), "identify_user"),
        (state(("list_invoices", 0.9), identity={**VERIFIED, "level": 1}), "fetch_billing"),
        (state(("talk_to_human", 0.9)), "escalate"),
        (state(("fraud_report", 0.9)), "escalate"),
        (state(("greeting", 0.9), screen="unknown"), "escalate"),
        (state(("refund_request", 0.9), screen="unsafe", identity=VERIFIED), "redirect"),
        (state(("refund_request", 0.4)), "clarify"),
        (state(("refund_request", 0.4), clarifications=1), "escalate"),
        (state(("affirm", 0.9), answer="yes", asked="confirm", case=CASE, identity=VERIFIED), "settle_proposal"),
        (state(("decline", 0.9), asked="confirm", case=CASE, identity=VERIFIED), "settle_proposal"),
        (state(("affirm", 0.9), asked="handover"), "escalate"),
        (state(("thanks", 0.9)), "close_conversation"),
        (state(("out_of_scope", 0.9), text="5", asked="rating"), "close_conversation"),
        (state(("give_email", 0.9), slots={"email": "ada@example.com"}), "identify_user"),
        (
            state(("give_code", 0.9), identity={**VERIFIED, "attempt": "verified"}, goals=["list_invoices"]),
            "fetch_billing",
        ),
        (
            state(("give_code", 0.9), identity={**ANONYMOUS, "attempt": "wrong"}, goals=["list_invoices"]),
            "identify_user",
        ),
        (state(("give_code", 0.9), identity={**ANONYMOUS, "attempt": "ambiguous"}), "escalate"),
    ],
)
def test_the_first_rule_that_applies_decides(given: SupportState, step: str) -> None:
    assert plan(given, Limits()).step == step


def test_a_yes_to_something_else_is_no_consent() -> None:
    """The proposal was put to the customer two messages ago; what we asked last was for a rating."""
    given = state(("affirm", 0.95), answer="yes", asked="rating", case=CASE, identity=VERIFIED)

    assert plan(given, Limits()).step != "settle_proposal"


@pytest.mark.parametrize("confidence", [0.55, 0.99])
def test_a_yes_that_is_not_plain_is_no_consent(confidence: float) -> None:
    """Answers such as "yes $10" were read as a yes with .97, and moved money."""
    given = state(("affirm", confidence), answer=None, asked="confirm", case=CASE, identity=VERIFIED)

    assert plan(given, Limits()).step == "clarify"


def test_a_yes_after_the_proof_of_identity_expired_is_no_consent() -> None:
    given = state(("affirm", 0.95), answer="yes", asked="confirm", case=CASE, identity={**VERIFIED, "level": 1})

    assert plan(given, Limits()).step == "identify_user"


@pytest.mark.parametrize("text", ["cancel my refund request", "please withdraw it", "forget that request"])
def test_what_waits_for_a_person_can_be_taken_back(text: str) -> None:
    given = state(("cancel_subscription", 0.9), text=text, identity=VERIFIED, waiting=[{"id": "c", "digest": "d"}])

    assert plan(given, Limits()).step == "withdraw_request"


def test_with_nothing_waiting_a_cancellation_is_a_cancellation() -> None:
    given = state(("cancel_subscription", 0.9), text="please cancel it", identity=VERIFIED, waiting=[])

    assert plan(given, Limits()).step == "fetch_billing"


@pytest.mark.parametrize("text", ["how do I cancel?", "what happens if I dispute a charge?"])
def test_how_something_works_is_asked_of_the_policies(text: str) -> None:
    assert plan(state(("cancel_subscription", 0.9), ("dispute", 0.9), text=text), Limits()).step == "answer_policy"


@pytest.mark.parametrize("text", ["great", "10/10"])
def test_a_rating_in_words_ends_the_conversation_and_brings_nobody(text: str) -> None:
    given = state(("out_of_scope", 0.3), text=text, asked="rating", clarifications=1)

    assert plan(given, Limits()).step == "close_conversation"


def test_half_an_address_is_asked_for_again() -> None:
    assert plan(state(("out_of_scope", 0.3), text="foo@bar", asked="email"), Limits()).step == "identify_user"


def test_a_choice_that_was_not_understood_is_offered_again_and_then_a_person() -> None:
    first = state(("out_of_scope", 0.9), text="that one", asked="which_charge", identity=VERIFIED)
    second = state(("out_of_scope", 0.9), text="that one", asked="which_charge", clarifications=1)

    assert plan(first, Limits()).step == "fetch_billing"
    assert plan(second, Limits()).step == "escalate"


def test_no_to_the_offer_of_a_person_is_taken_as_such() -> None:
    assert plan(state(("decline", 0.9), answer="no", asked="handover"), Limits()).step == "greet"


def test_no_to_a_choice_is_no_and_the_list_is_not_read_out_again() -> None:
    given = state(("decline", 0.9), answer="no", asked="which_charge", goals=["refund_request"])

    assert (plan(given, Limits()).step, plan(given, Limits()).goals) == ("greet", [])


def test_goals_outlive_the_turns_that_identify_the_customer() -> None:
    asked = plan(state(("duplicate_charge", 0.9)), Limits())
    given = state(("give_email", 0.9), slots={"email": "ada@example.com"}, goals=asked.goals)

    assert plan(given, Limits()).goals == ["duplicate_charge"]


def test_who_was_charged_twice_and_wants_it_back_wants_one_refund() -> None:
    given = state(("refund_request", 0.9), ("duplicate_charge", 0.8), identity=VERIFIED)

    assert plan(given, Limits()).goals == ["duplicate_charge"]


def test_two_wishes_in_one_message_are_both_kept_in_order() -> None:
    given = state(("cancel_subscription", 0.9), ("refund_request", 0.8), identity=VERIFIED)

    assert plan(given, Limits()).goals == ["cancel_subscription", "refund_request"]


@pytest.mark.parametrize(("bare", "details"), [("2.00", {"ordinal": 2}), ("49.00", {"bare": "49.00"})])
def test_a_lone_small_number_is_a_place_in_the_list(bare: str, details: dict[str, Any]) -> None:
    given = state(("out_of_scope", 0.3), text=bare, asked="which_charge", slots={"bare": bare}, identity=VERIFIED)

    assert plan(given, Limits()).extra["details"] == details


PRESSED = {"case_id": "c", "digest": "d", "answer": "yes"}
COLLEAGUES = {**CASE, "proposer": "Ana"}


def pressed(**more: Any) -> SupportState:
    given = state(("affirm", 0.95), **more)
    given["turn"]["button"] = PRESSED
    return given


@pytest.mark.parametrize("asked", ["confirm", "rating", "handover", None])
@pytest.mark.parametrize("case", [CASE, {**CASE, "id": "another"}, None])
def test_a_button_counts_whatever_was_asked_last(asked: str | None, case: dict[str, Any] | None) -> None:
    assert plan(pressed(asked=asked, case=case, identity=VERIFIED), Limits()).step == "settle_proposal"


@pytest.mark.parametrize("who", [ANONYMOUS, {**VERIFIED, "level": 1}])
def test_a_button_is_no_consent_from_who_has_to_prove_who_they_are(who: dict[str, Any]) -> None:
    assert plan(pressed(asked="confirm", case=CASE, identity=who), Limits()).step == "identify_user"


def test_a_button_in_a_message_that_could_not_be_screened_goes_to_a_person() -> None:
    assert plan(pressed(case=CASE, identity=VERIFIED, screen="unknown"), Limits()).step == "escalate"


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("case", [CASE, COLLEAGUES])
@pytest.mark.parametrize("by_button", [True, False])
def test_what_a_yes_without_proof_was_given_to_waits_for_the_proof(
    level: int, case: dict[str, Any], by_button: bool
) -> None:
    who = {**VERIFIED, "level": level}
    given = state(("affirm", 0.9), answer="yes", asked="confirm", case=case, identity=who, goals=["list_invoices"])
    given["turn"]["button"] = PRESSED if by_button else None

    planned = plan(given, Limits())

    assert ("identify_user", None) == (planned.step, planned.goals)
    assert {**case, "unproven": True} == planned.extra["case"]


def proved(**more: Any) -> SupportState:
    case = {**more.pop("case", CASE), "unproven": True}
    identity = {**VERIFIED, "attempt": "verified", **more.pop("identity", {})}
    return state(("give_code", 0.9), case=case, identity=identity, **more)


@pytest.mark.parametrize("case", [CASE, COLLEAGUES])
def test_after_the_proof_the_same_question_is_open(case: dict[str, Any]) -> None:
    planned = plan(proved(case=case, goals=["list_invoices"]), Limits())

    assert ("identify_user", None, {"case": case}) == (planned.step, planned.goals, planned.extra)


def test_while_stripe_cannot_say_who_proved_it_the_question_waits_on() -> None:
    planned = plan(proved(identity={"level": 0, "customer": None}), Limits())

    assert ("identify_user", True) == (planned.step, planned.extra["case"]["unproven"])


def test_whoever_else_proves_to_be_there_is_not_asked_about_it() -> None:
    other = {"customer": "cus_2"}

    assert ("fetch_billing", ["refund_request"]) == (
        (planned := plan(proved(identity=other), Limits())).step,
        planned.goals,
    )
    assert {"case": None} == plan(proved(identity=other, case=COLLEAGUES), Limits()).extra


class Cases:
    def __init__(self) -> None:
        self.withdrawn: list[str] = []

    async def withdraw(self, case_id: str, **_: Any) -> None:
        self.withdrawn.append(case_id)


async def planned_with(given: SupportState) -> tuple[dict[str, Any], list[str]]:
    cases = Cases()
    runtime = SimpleNamespace(context=SimpleNamespace(limits=Limits(), cases=cases))
    return await plan_turn(given, cast("Any", runtime)), cases.withdrawn


@pytest.mark.parametrize(
    "given",
    [
        state(("affirm", 0.9), answer="yes", asked="confirm", case=CASE),
        state(("give_email", 0.9), slots={"email": "a@b.example"}, asked="email", case={**CASE, "unproven": True}),
        state(("give_code", 0.9), case={**CASE, "unproven": True}, identity={**ANONYMOUS, "attempt": "wrong"}),
        state(("give_code", 0.9), case={**CASE, "unproven": True}, identity={**ANONYMOUS, "attempt": "several"}),
        proved(),
    ],
)
async def test_on_the_way_to_the_proof_nothing_is_taken_back(given: SupportState) -> None:
    update, withdrawn = await planned_with(given)

    assert [] == withdrawn
    assert "case" not in update or update["case"]["id"] == CASE["id"]


@pytest.mark.parametrize(
    "given",
    [
        state(("list_invoices", 0.9), case={**CASE, "unproven": True}),
        state(("talk_to_human", 0.9), case={**CASE, "unproven": True}),
        state(("give_code", 0.9), case={**CASE, "unproven": True}, identity={**ANONYMOUS, "attempt": "ambiguous"}),
        proved(identity={"customer": "cus_2"}),
    ],
)
async def test_who_goes_on_to_something_else_takes_it_back(given: SupportState) -> None:
    update, withdrawn = await planned_with(given)

    assert (["c"], None) == (withdrawn, update["case"])


def test_what_tells_accounts_apart_is_asked_for_again_unless_there_is_another_wish() -> None:
    asked = {**ANONYMOUS, "question": "last4"}

    for readings in ([("decline", 0.9)], [("out_of_scope", 0.9)], [("thanks", 0.3)]):
        assert "identify_user" == plan(state(*readings, asked="account", identity=asked), Limits()).step
    assert "identify_user" == plan(state(("out_of_scope", 0.3), identity=asked), Limits()).step, "after a detour too"
    assert "escalate" == plan(state(("talk_to_human", 0.9), asked="account", identity=asked), Limits()).step
    assert "answer_policy" == plan(state(("policy_question", 0.9), asked="account", identity=asked), Limits()).step


def test_a_choice_of_somebody_whose_proof_has_expired_reads_nothing_before_they_prove_it_again() -> None:
    """Billing was read for nobody, and the conversation ended in an error."""
    given = state(("out_of_scope", 0.3), text="49.00", asked="which_charge", slots={"bare": "49.00"})

    assert plan(given, Limits()).step == "identify_user"


def detail(*readings: tuple[str, float], goal: str, **more: Any) -> SupportState:
    """An answer to what `goal` lacked."""
    return state(*readings, asked="detail", goals=[goal], identity=VERIFIED, **more)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (
            detail(
                ("payment_plan", 0.95),
                goal="pause_subscription",
                text="2 months",
                slots={"months": 2, "instalments": 2},
                details={"said": "pause it"},
            ),
            {"said": "pause it", "months": 2, "answer": "2 months"},
        ),
        (
            detail(
                ("give_email", 0.99),
                goal="change_billing_details",
                text="new@example.com",
                slots={"email": "new@example.com"},
                details={"fields": ["email"]},
            ),
            {"fields": ["email"], "email": "new@example.com", "answer": "new@example.com"},
        ),
        (
            detail(
                ("out_of_scope", 0.9), goal="change_plan", text="Business", details={"said": "upgrade", "answer": "x"}
            ),
            {"said": "upgrade", "answer": "Business"},
        ),
    ],
)
def test_what_was_lacking_is_added_to_what_was_said(given: SupportState, kept: dict[str, Any]) -> None:
    planned = plan(given, Limits())

    assert (planned.step, planned.goals) == ("fetch_billing", given["goals"])
    assert kept.items() <= planned.extra["details"].items()


def test_another_wish_is_no_answer_to_what_was_lacking() -> None:
    given = detail(("refund_request", 0.95), goal="change_plan", text="refund the last charge")

    assert plan(given, Limits()).goals == ["refund_request"]


def test_no_to_what_was_lacking_ends_the_wish() -> None:
    planned = plan(detail(("decline", 0.9), goal="change_plan", text="never mind", answer="no"), Limits())

    assert (planned.step, planned.goals) == ("greet", [])


def test_a_new_address_for_invoices_says_nothing_about_who_is_there() -> None:
    """The code would have gone to an address that nobody has proved to own."""
    given = state(
        ("change_billing_details", 0.9),
        ("give_email", 0.8),
        text="change my email to new@example.com",
        slots={"email": "new@example.com", "fields": ("email",)},
        identity=VERIFIED,
    )
    planned = plan(given, Limits())

    assert (planned.step, planned.extra["details"]["email"]) == ("fetch_billing", "new@example.com")


def test_an_address_to_prove_who_one_is_becomes_no_new_one_for_invoices() -> None:
    asked = plan(state(("change_billing_details", 0.9), text="change my billing email", slots={}), Limits())
    given = state(
        ("give_email", 0.9), slots={"email": "ada@example.com"}, goals=asked.goals, details=asked.extra["details"]
    )

    assert "email" not in plan(given, Limits()).extra.get("details", {})


def test_who_says_who_they_are_beside_the_wish_is_asked_for_a_code_there() -> None:
    given = state(
        ("change_billing_details", 0.9),
        ("give_email", 0.8),
        text="I'm ada@example.com, change the company name",
        slots={"email": "ada@example.com", "fields": ("name",)},
    )
    planned = plan(given, Limits())

    assert (planned.step, planned.goals) == ("identify_user", ["change_billing_details"])
    assert "email" not in planned.extra["details"]


def test_a_new_wish_forgets_what_was_said_of_the_last_one() -> None:
    given = state(
        ("pause_subscription", 0.9), text="pause it", identity=VERIFIED, details={"seats": 3, "answer": "Business"}
    )

    assert plan(given, Limits()).extra["details"] == {"said": "pause it"}
