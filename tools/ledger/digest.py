"""The names that cannot be forged: SHA-256 over canonical JSON."""

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from tools.errors import Unprocessable
from tools.ledger.types import Action, Json
from tools.money import Money
from tools.policy.types import ActionKind


def digest_of(
    *, kind: ActionKind, customer: str, target: str, amount: Money, policy_version: str, evidence: Json
) -> str:
    """What a confirmation and an approval name: it changes when any of these changes."""
    return sha256_of(
        {
            "kind": kind,
            "customer": customer,
            "target": target,
            "amount": amount.amount,
            "currency": amount.currency,
            "policy_version": policy_version,
            "evidence": evidence,
        }
    )


def own_digest(action: Action) -> str:
    """The one that its fields have now, whatever its record says."""
    return digest_of(
        kind=action.kind,
        customer=action.customer,
        target=action.target,
        amount=action.amount,
        policy_version=action.policy_version,
        evidence=action.evidence,
    )


def sha256_of(value: Any) -> str:
    """Hex SHA-256 of `canonical(value)`."""
    return hashlib.sha256(canonical(value)).hexdigest()


def canonical(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces; equal values give equal bytes.

    Datetimes become ISO 8601 in UTC with a Z, money its amount and currency. What has no single JSON
    form (naive datetimes, NaN, keys that are not text, half a surrogate, unknown types) is Unprocessable.
    """
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Unprocessable("The text is not valid Unicode.") from error


def plain(value: Any) -> Any:
    """The same value in nothing but JSON's own types, as it will be read back from the database."""
    match value:
        case float() if not math.isfinite(value):
            raise Unprocessable(f"{value} has no canonical form.")
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return iso(value)
        case date():
            return value.isoformat()
        case Money():
            return {"amount": value.amount, "currency": value.currency}
        case Mapping():
            return {_key(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            raise Unprocessable(f"{type(value).__name__} has no canonical form.")


def iso(moment: datetime) -> str:
    """`2026-11-23T08:00:00Z`; microseconds only when there are any."""
    if moment.tzinfo is None:
        raise Unprocessable("A datetime without a zone names no moment.")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise Unprocessable(f"A key of JSON is text, not {type(key).__name__}.")
    return key
