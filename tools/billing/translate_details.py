"""From Stripe's JSON to what invoices say of a customer, and whether they were mailed."""

from tools.billing.powers import Address, HeldDetails, TaxId
from tools.billing.translate import Json, clean


def held_details_of(customer: Json, tax_ids: list[Json]) -> HeldDetails:
    return HeldDetails(
        name=clean(customer.get("name")) or None,
        email=clean(customer.get("email")) or None,
        address=_address_of(customer.get("address")),
        tax_ids=tuple(TaxId(kind=raw["type"], value=clean(raw["value"], longest=100)) for raw in tax_ids),
    )


def _address_of(raw: Json | None) -> Address | None:
    if not raw:
        return None
    parts = ("line1", "line2", "city", "postal_code", "state", "country")
    return Address(**{part: clean(raw.get(part)) for part in parts})


def mailing_of(event: Json) -> tuple[str, str | None]:
    """Of an `invoice.sent`: the invoice, and the idempotency key of the request that mailed it."""
    request = event.get("request") or {}
    return event["data"]["object"]["id"], request.get("idempotency_key")
