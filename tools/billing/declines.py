"""Why a payment failed, in words that a customer may be told."""

from typing import Literal

DeclineReason = Literal[
    "insufficient_funds",
    "expired_card",
    "authentication_required",
    "wrong_details",
    "over_limit",
    "blocked",
    "not_supported",
    "try_again",
    "declined",
]
"""Why a payment failed, as far as a customer may be told. "blocked" includes what banks say of lost and stolen cards:
whoever holds the card must not learn more. "declined" is a bank that gives no reason."""

# https://docs.stripe.com/declines/codes, in what a customer can do about it.
_MEANING: dict[str, DeclineReason] = {
    "insufficient_funds": "insufficient_funds",
    "expired_card": "expired_card",
    "authentication_required": "authentication_required",
    "authentication_not_handled": "authentication_required",
    "invoice_payment_intent_requires_action": "authentication_required",
    "subscription_payment_intent_requires_action": "authentication_required",
    "incorrect_cvc": "wrong_details",
    "incorrect_number": "wrong_details",
    "incorrect_pin": "wrong_details",
    "incorrect_zip": "wrong_details",
    "incorrect_address": "wrong_details",
    "invalid_cvc": "wrong_details",
    "invalid_number": "wrong_details",
    "invalid_expiry_month": "wrong_details",
    "invalid_expiry_year": "wrong_details",
    "card_velocity_exceeded": "over_limit",
    "withdrawal_count_limit_exceeded": "over_limit",
    "fraudulent": "blocked",
    "highest_risk_level": "blocked",
    "lost_card": "blocked",
    "merchant_blacklist": "blocked",
    "pickup_card": "blocked",
    "restricted_card": "blocked",
    "stolen_card": "blocked",
    "card_not_supported": "not_supported",
    "currency_not_supported": "not_supported",
    "transaction_not_allowed": "not_supported",
    "approve_with_id": "try_again",
    "issuer_not_available": "try_again",
    "processing_error": "try_again",
    "reenter_transaction": "try_again",
    "try_again_later": "try_again",
}


def decline_of(*reasons: str | None) -> DeclineReason:
    """Of Stripe's codes, the most telling first: `card_declined` alone says nothing."""
    return next((_MEANING[reason] for reason in reasons if reason in _MEANING), "declined")
