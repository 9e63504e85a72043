"""Stripe's webhook deliveries: who sent them, and the few fields of them that we keep.

The SDK checks the signature; what it lets through is refused here: a timestamp in the future, a body that is not
UTF-8, a header that is not ASCII. Every delivery that does not verify gets the same answer, so that nobody learns from
it how near they came. The object inside an event is how it was once: it is never kept, and read again before it counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import stripe
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError

from tools.billing.translate import moment
from tools.errors import NoEvent, SignatureInvalid

TOLERANCE_SECONDS = 300
"""As old as a delivery may be; Stripe signs each try anew."""
SKEW_SECONDS = 60
"""As far as our clock may be behind Stripe's."""

API_VERSION: str = stripe.api_version
"""The SDK's own, in which its types are written."""

Misfit = Literal["api_version", "mode"]


@dataclass(frozen=True, kw_only=True)
class StripeEvent:
    """That something happened at Stripe, and to what. `object` is None for objects without an id, such as a balance."""

    id: str
    type: str
    created: datetime
    kind: str
    """Of the object: `refund`, `charge`, `dispute`, ..."""
    object: str | None
    customer: str | None
    api_version: str | None
    livemode: bool


def verify(payload: bytes, signature: str | None, secrets: Sequence[str], now: datetime) -> StripeEvent:
    """The event of a delivery that is signed with one of `secrets` (two while they are rotated).

    Raises `SignatureInvalid`, and `NoEvent` for a body that is signed and yet no event of Stripe's v1 API.
    """
    if not _is_signed(payload, signature, secrets) or not _is_fresh(signature or "", now):
        raise SignatureInvalid
    try:
        # Not chained: pydantic's words quote what it read.
        return _event(_Body.model_validate_json(payload))
    except ValidationError:
        raise NoEvent from None


def misfit(event: StripeEvent, *, live: bool, api_version: str = API_VERSION) -> Misfit | None:
    """Why an event that Stripe did sign is not for us to act on. `live`: whether our key is."""
    if event.livemode != live:
        return "mode"
    return None if event.api_version == api_version else "api_version"


def _is_signed(payload: bytes, signature: str | None, secrets: Sequence[str]) -> bool:
    if signature is None or not signature.isascii():
        return False
    return any(_signed_with(secret, payload, signature) for secret in secrets)


def _signed_with(secret: str, payload: bytes, signature: str) -> bool:
    try:
        # Without a tolerance: the SDK looks at one end of it only, and at a clock that is not ours.
        return bool(stripe.WebhookSignature.verify_header(payload, signature, secret, tolerance=None))
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False


def _is_fresh(signature: str, now: datetime) -> bool:
    """By the first `t`, which is the one that is signed."""
    stamps = [part.split("=")[1] for part in signature.split(",") if part.startswith("t=")]
    age = now.timestamp() - int(stamps[0])
    return -SKEW_SECONDS <= age <= TOLERANCE_SECONDS


Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{3,255}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,100}$")]


class _Lenient(BaseModel):
    """Fields that we do not know are ignored: Stripe adds some without notice."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class _Reference(_Lenient):
    id: Id


class _Object(_Lenient):
    object: Name
    id: Id | None = None
    customer: Id | _Reference | None = None


class _Data(_Lenient):
    object: _Object


class _Body(_Lenient):
    object: Literal["event"]
    id: Id
    type: Name
    created: Annotated[StrictInt, Field(ge=0, lt=2**33)]
    api_version: str | None = Field(max_length=100)
    livemode: StrictBool
    data: _Data


def _event(body: _Body) -> StripeEvent:
    about = body.data.object
    customer = about.customer.id if isinstance(about.customer, _Reference) else about.customer
    return StripeEvent(
        id=body.id,
        type=body.type,
        created=moment(body.created),
        kind=about.object,
        object=about.id,
        customer=about.id if about.object == "customer" else customer,
        api_version=body.api_version,
        livemode=body.livemode,
    )
