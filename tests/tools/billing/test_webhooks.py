"""Which deliveries are taken for Stripe's, and what is kept of them."""

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from tools.billing.webhooks import StripeEvent, misfit, verify
from tools.errors import CounterfoilError, NoEvent, SignatureInvalid

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECRET, NEXT = "whsec_one", "whsec_two"
BODY: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "refund.failed",
    "created": int(NOW.timestamp()) - 5,
    "api_version": stripe.api_version,
    "livemode": False,
    "data": {"object": {"object": "refund", "id": "re_1", "charge": "ch_1", "email": "ada@example.com"}},
}


def event_body(**changes: Any) -> bytes:
    return json.dumps({**BODY, **changes}).encode()


def signed(payload: bytes, secret: str = SECRET, *, ago: float = 0) -> str:
    text, then = payload.decode("utf-8", "surrogateescape"), int((NOW - timedelta(seconds=ago)).timestamp())
    # The SDK's own helper encodes strictly; a forger need not.
    if payload.decode("utf-8", "replace").encode() == payload:
        header: str = stripe.WebhookSignature.generate_signature_header(text, secret, then)
        return header
    return f"t={then},v1={'0' * 64}"


def about(kind: str, **more: Any) -> dict[str, Any]:
    return {"data": {"object": {"object": kind, **more}}}


def test_a_delivery_signed_by_stripe_gives_its_event() -> None:
    payload = event_body()

    expected = StripeEvent(
        id="evt_1",
        type="refund.failed",
        created=NOW - timedelta(seconds=5),
        kind="refund",
        object="re_1",
        customer=None,
        api_version=stripe.api_version,
        livemode=False,
    )

    assert expected == verify(payload, signed(payload), [SECRET], NOW)


def test_nothing_else_of_the_payload_is_kept() -> None:
    payload = event_body()
    event = verify(payload, signed(payload), [SECRET], NOW)

    assert "ada@example.com" not in str([getattr(event, field.name) for field in fields(event)])


@pytest.mark.parametrize("signer", [SECRET, NEXT])
def test_both_secrets_count_while_they_are_rotated(signer: str) -> None:
    payload = event_body()

    assert "evt_1" == verify(payload, signed(payload, signer), [SECRET, NEXT], NOW).id


def test_a_delivery_that_carries_two_signatures_needs_one_that_is_right() -> None:
    payload = event_body()
    old, new = signed(payload, "whsec_gone"), signed(payload)

    assert "evt_1" == verify(payload, f"{old},{new.split(',')[1]}", [SECRET], NOW).id


@pytest.mark.parametrize(
    ("ago", "counts"),
    [(0, True), (299, True), (301, False), (86_400, False), (-59, True), (-61, False), (-86_400, False)],
)
def test_a_signature_is_good_for_five_minutes_and_not_before_its_time(ago: float, counts: bool) -> None:
    payload = event_body()

    def attempt() -> bool:
        try:
            return verify(payload, signed(payload, ago=ago), [SECRET], NOW).id == "evt_1"
        except SignatureInvalid:
            return False

    assert counts == attempt()


GOOD = event_body()
FORGED: dict[str, tuple[bytes, str | None, list[str]]] = {
    "no signature": (GOOD, None, [SECRET]),
    "an empty signature": (GOOD, "", [SECRET]),
    "another secret": (GOOD, signed(GOOD, "whsec_guess"), [SECRET]),
    "a changed body": (event_body(id="evt_2"), signed(GOOD), [SECRET]),
    "a changed time": (GOOD, signed(GOOD, ago=10_000).replace("t=1", "t=2"), [SECRET]),
    "a second time": (GOOD, f"t={int(NOW.timestamp())},{signed(GOOD, ago=10_000)}", [SECRET]),
    "an old time first": (GOOD, f"{signed(GOOD, ago=10_000)},t={int(NOW.timestamp())}", [SECRET]),
    "no time": (GOOD, signed(GOOD).split(",")[1], [SECRET]),
    "a time that is no number": (GOOD, "t=now,v1=00", [SECRET]),
    "a time of five thousand digits": (GOOD, f"t={'9' * 5000},v1=00", [SECRET]),
    "an older scheme alone": (GOOD, signed(GOOD).replace("v1=", "v0="), [SECRET]),
    "a signature that is not ASCII": (GOOD, "t=1,v1=é", [SECRET]),
    "a body that is not UTF-8": (b"\xff\xfe{}", signed(b"\xff\xfe{}"), [SECRET]),
    "no secret to check with": (GOOD, signed(GOOD), []),
    "an empty secret": (GOOD, signed(GOOD, " "), [""]),
}


@pytest.mark.parametrize("case", FORGED)
def test_whatever_does_not_verify_gets_the_same_answer(case: str) -> None:
    payload, signature, secrets = FORGED[case]

    with pytest.raises(CounterfoilError) as refused:
        verify(payload, signature, secrets, NOW)

    assert (SignatureInvalid, 400, "invalid_signature", "This delivery does not verify.") == (
        type(refused.value),
        refused.value.status,
        refused.value.code,
        refused.value.message,
    )


NO_EVENTS: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"hello",
    "a list": b"[]",
    "JSON without an end": b"[" * 30_000,
    "an object of another kind": event_body(object="refund"),
    "a thin event of the v2 API": event_body(object="v2.core.event"),
    "no object": event_body(data={}),
    "no type": event_body(type=None),
    "an id that is a path": event_body(id="../../v1/customers"),
    "an object whose id is a path": event_body(**about("refund", id="re_1/cancel")),
    "a time beyond the calendar": event_body(created=10**15),
    "a time that is a fraction": event_body(created=1.5),
    "a mode that is a word": event_body(livemode="no"),
}


@pytest.mark.parametrize("case", NO_EVENTS)
def test_a_signed_body_that_is_no_event_is_refused_without_its_words(case: str) -> None:
    payload = NO_EVENTS[case]

    with pytest.raises(NoEvent) as refused:
        verify(payload, signed(payload), [SECRET], NOW)

    assert ("no_event", None) == (refused.value.code, refused.value.__cause__)


@pytest.mark.parametrize(
    ("object_", "kind", "name", "customer"),
    [
        (about("charge", id="ch_1", customer="cus_1"), "charge", "ch_1", "cus_1"),
        (about("charge", id="ch_1", customer={"id": "cus_1", "object": "customer"}), "charge", "ch_1", "cus_1"),
        (about("customer", id="cus_1"), "customer", "cus_1", "cus_1"),
        (about("balance"), "balance", None, None),
    ],
)
def test_the_object_and_its_customer_are_named(
    object_: dict[str, Any], kind: str, name: str | None, customer: str | None
) -> None:
    payload = event_body(**object_)
    event = verify(payload, signed(payload), [SECRET], NOW)

    assert (kind, name, customer) == (event.kind, event.object, event.customer)


@pytest.mark.parametrize(
    ("changes", "live", "expected"),
    [
        ({}, False, None),
        ({"livemode": True}, True, None),
        ({"livemode": True}, False, "mode"),
        ({}, True, "mode"),
        ({"api_version": "2024-06-20"}, False, "api_version"),
        ({"api_version": None}, False, "api_version"),
    ],
)
def test_an_event_of_another_version_or_mode_is_not_for_us(
    changes: dict[str, Any],
    live: bool,
    expected: str | None,
) -> None:
    payload = event_body(**changes)

    assert expected == misfit(verify(payload, signed(payload), [SECRET], NOW), live=live)
