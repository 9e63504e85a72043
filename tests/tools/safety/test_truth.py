from datetime import date

import pytest
from babel.dates import format_date
from babel.numbers import format_currency

from tools.safety.truth import check
from tools.safety.types import Facts, Falsehood

LOCALES = ("en_US", "en_GB", "de_DE", "es_ES", "es_MX", "fr_FR", "en_CA", "fr_CA", "de_CH")
CURRENCIES = ("USD", "EUR", "GBP", "CHF", "CAD", "AUD", "BRL", "INR", "SEK", "PLN")
FACTS = Facts(
    amounts=frozenset(
        {(123450, code.lower()) for code in CURRENCIES} | {(1234, "jpy"), (1234500, "kwd"), (-4900, "usd")}
    ),
    dates=frozenset({"2026-11-03"}),
    identifiers=frozenset({"ABCD1234-0001", "CF-2026-000001"}),
    last4s=frozenset({"4242"}),
    durations=frozenset({"5–10 business days", "30 days"}),
)
ALL_DONE = Facts(deeds=frozenset({"refund", "cancel", "payment_plan", "handover"}))


def kinds(sentence: str, facts: Facts = FACTS) -> list[str]:
    return [falsehood.kind for falsehood in check(sentence, facts)]


@pytest.mark.parametrize("locale", LOCALES)
def test_amounts_as_babel_prints_them(locale: str) -> None:
    for currency, value in [*((c, 1234.5) for c in CURRENCIES), ("JPY", 1234), ("KWD", 1234.5)]:
        assert [] == kinds(f"The total is {format_currency(value, currency, locale=locale)}.")
        assert ["amount"] == kinds(f"The total is {format_currency(value + 1, currency, locale=locale)}.")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("width", ["short", "medium", "long", "full"])
def test_dates_as_babel_prints_them(locale: str, width: str) -> None:
    said = format_date(date(2026, 11, 3), width, locale=locale)
    false = format_date(date(2026, 12, 24), width, locale=locale)
    assert [] == kinds(f"It was on {said}.")
    assert ["date"] == kinds(f"It was on {false}.")


@pytest.mark.parametrize(
    "sentence",
    [
        "I credited nothing of the $49.00.",
        "The total of 1,234.50 USD is due on 2026-11-03.",
        "It was 1,234.50 in total.",
        "It came on the 3rd of November.",
        "In November 2026 you paid.",
        "Invoice ABCD1234-0001 was paid with your Visa ending in 4242.",
        "Your card •••• 4242 was used, receipt CF-2026-000001.",
        "Refunds take 5–10 business days.",
        "Refunds take 5 to 10 business days.",
        "Das dauert 5 bis 10 Werktage.",
        "Tarda de 5 a 10 días hábiles.",
        "Cela prend 5 à 10 jours ouvrés.",
        "It arrives within 10 business days.",
        "There is a 30-day window.",
        "See section 4.12 of version 2.10, valid 2025-2026.",
        "That is 20% off, or 12.50%.",
        "You may pay in 3 parts.",
        "",
    ],
)
def test_true_and_harmless_sentences_pass(sentence: str) -> None:
    assert () == check(sentence, FACTS)


@pytest.mark.parametrize(
    ("sentence", "falsehoods"),
    [
        ("You paid $49.01.", [("amount", "$49.01")]),
        ("You paid €49.00.", [("amount", "€49.00")]),
        ("You paid 49.01 in total.", [("amount", "49.01")]),
        ("That is fifty dollars.", [("amount", "fifty dollars")]),
        ("It is $1.2k.", [("amount", "$1.2k")]),
        ("It is due on Nov 4, 2026.", [("date", "Nov 4, 2026")]),
        ("It is due on 31.11.2026.", [("date", "31.11.2026")]),
        ("It is due on 11/04/26.", [("date", "11/04/26")]),
        ("It was November 4th.", [("date", "November 4th")]),
        ("In December 2026 you pay.", [("date", "December 2026")]),
        ("See ABCD1234-0002.", [("identifier", "ABCD1234-0002")]),
        ("Receipt CF-2026-000002.", [("identifier", "CF-2026-000002")]),
        ("Ticket 48213 is open.", [("identifier", "48213")]),
        ("The charge is ch_3MmlLrLkdIwHu7ix.", [("identifier", "ch_3MmlLrLkdIwHu7ix")]),
        ("your card ending in 1111", [("last4", "1111")]),
        ("your Visa 1111", [("last4", "1111")]),
        ("It takes 3–5 business days.", [("duration", "3–5 business days")]),
        ("It takes 5–10 days.", [("duration", "5–10 days")]),
        ("It takes two weeks.", [("duration", "two weeks")]),
        ("within 5 business days", [("duration", "within 5 business days")]),
    ],
)
def test_what_no_fact_bears_out_is_named(sentence: str, falsehoods: list[tuple[str, str]]) -> None:
    expected = tuple(Falsehood(kind=kind, claim=claim) for kind, claim in falsehoods)  # type: ignore[arg-type]
    assert expected == check(sentence, FACTS)


DEEDS = [
    "I have refunded your payment.",
    "I've just issued a refund for you.",
    "Your refund has been processed.",
    "Done! Your refund is on its way.",
    "You've been refunded.",
    "I've refunded you, anything else?",
    "The charge was refunded.",
    "The refund is complete.",
    "Your plan was cancelled.",
    "I've gone ahead and cancelled your subscription.",
    "Your subscription is now canceled.",
    "I've set up the payment plan.",
    "Your payment plan is active.",
    "I've split the invoice into three payments.",
    "I've handed you over to a colleague.",
    "You're now connected to an agent.",
    "I have escalated your case.",
    "A colleague has joined the chat.",
    "Ich habe Ihre Zahlung erstattet.",
    "Ihr Abo wurde gekündigt.",
    "Der Ratenplan wurde eingerichtet.",
    "Ich habe Sie an einen Kollegen übergeben.",
    "He reembolsado su pago.",
    "Su suscripción ha sido cancelada.",
    "J'ai remboursé votre paiement.",
    "Votre abonnement a été résilié.",
    "J'ai mis en place l'échéancier.",
]


@pytest.mark.parametrize("sentence", DEEDS)
def test_a_deed_is_claimed_only_with_its_receipt(sentence: str) -> None:
    assert ["deed"] == kinds(sentence)
    assert [] == kinds(sentence, ALL_DONE)


@pytest.mark.parametrize(
    "sentence",
    [
        "I can refund your payment.",
        "I will cancel your subscription once you confirm.",
        "Would you like me to cancel your plan?",
        "Should I refund this charge?",
        "If your plan was cancelled, the charge can be refunded.",
        "Once it is approved, your refund is issued.",
        "When a charge has been refunded, you get a mail.",
        "I haven't refunded anything yet.",
        "No refund has been issued.",
        "Your plan was not cancelled.",
        "Nothing has been changed.",
        "Was your plan cancelled by mistake?",
        "Duplicate charges are refunded in full.",
        "A duplicate charge is refunded when it is found.",
        "You were charged twice.",
        "A colleague will take over.",
        "To have it refunded, reply yes.",
        "We could not refund this.",
        "Ich kann Ihr Abo kündigen.",
        "Es wurde nichts erstattet.",
        "Puedo cancelar tu plan.",
        "Je peux annuler votre abonnement.",
        "Votre paiement n'a pas été remboursé.",
    ],
)
def test_offers_conditions_denials_and_rules_claim_nothing(sentence: str) -> None:
    assert [] == kinds(sentence)


def test_deeds_that_this_agent_cannot_do_are_never_borne_out() -> None:
    for sentence in ("I've updated your billing address.", "Your plan has been upgraded.", "I've paused your plan."):
        assert ["deed"] == kinds(sentence, ALL_DONE)


def test_several_falsehoods_are_all_named_once() -> None:
    assert ["identifier", "amount", "deed"] == kinds("I have refunded $5.00, $5.00 of ABCD1234-0009.")
