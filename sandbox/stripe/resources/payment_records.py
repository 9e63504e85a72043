"""Payment records: money that reached the merchant outside Stripe, reported so that an invoice can count it."""

from typing import Any

from sandbox.stripe.errors import Json, ValidationFailure
from sandbox.stripe.params import choice, currency, fields, group, integer, merged_metadata, metadata, text
from sandbox.stripe.resource import Call, Filter, Resource, Route
from sandbox.stripe.world import World

AMOUNTS = ("authorized", "canceled", "failed", "guaranteed", "refunded")
OUTCOMES = ("canceled", "failed", "guaranteed")


def report(
    world: World, amount: int, currency: str, *, outcome: str | None = "guaranteed", method: str = "Other", **more: Any
) -> Json:
    """A payment as it was reported; without an outcome it is still on its way. `method` is how it was made."""
    sums = {f"amount_{name}": _sum(currency, amount if name == outcome else 0) for name in AMOUNTS}
    details: Json = {"customer_details": None, "customer_presence": None, "description": None, "metadata": {}}
    return world.add(
        "payment_record",
        "pr",
        amount=_sum(currency, amount),
        amount_requested=_sum(currency, amount),
        application=None,
        latest_payment_attempt_record=world.new_id("par"),
        payment_method_details={"custom": {"display_name": method, "type": None}, "type": "custom"},
        reported_by="self",
        shipping_details=None,
        **sums,
        **({"processor_details": {"custom": None, "type": "custom"}} | details | more),
    )


def _sum(currency: str, value: int) -> Json:
    return {"currency": currency, "value": value}


def _report(call: Call) -> Json:
    params = call.params
    outcome = params.get("outcome")
    wrong = next((name for name in OUTCOMES if params.get(name) and name != outcome), None)
    if wrong:
        raise ValidationFailure(f"{wrong} is only for payments whose outcome is {wrong}.", param=wrong)
    customer = params.get("customer_details")
    if customer and customer.get("customer"):
        call.world.get("customer", customer["customer"], param="customer_details[customer]")
    requested = params["amount_requested"]
    return report(
        call.world,
        requested["value"],
        requested["currency"],
        outcome=outcome,
        method=(params["payment_method_details"].get("custom") or {}).get("display_name") or "Other",
        customer_details=customer and {name: customer.get(name) for name in ("customer", "email", "name", "phone")},
        customer_presence=params.get("customer_presence"),
        description=params.get("description"),
        metadata=merged_metadata({}, params.get("metadata")),
        processor_details=params.get("processor_details") or {"custom": None, "type": "custom"},
    )


REPORTED = fields(
    amount_requested=group(required=True, currency=currency(required=True), value=integer(required=True, least=1)),
    canceled=group(canceled_at=integer(required=True)),
    customer_details=group(customer=text(), email=text(), name=text(), phone=text()),
    customer_presence=choice("off_session", "on_session"),
    description=text(),
    failed=group(failed_at=integer(required=True)),
    guaranteed=group(guaranteed_at=integer(required=True)),
    initiated_at=integer(required=True),
    metadata=metadata(),
    outcome=choice(*OUTCOMES),
    payment_method_details=group(required=True, custom=group(display_name=text(), type=text()), type=choice("custom")),
    processor_details=group(custom=group(payment_reference=text(required=True)), type=choice("custom", required=True)),
)
PAYMENT_RECORDS = Resource(
    kind="payment_record",
    path="/v1/payment_records",
    dated=False,
    filters={
        "created_after": Filter(integer(), keep=lambda record, moment: record["created"] > moment),
        "created_before": Filter(integer(), keep=lambda record, moment: record["created"] < moment),
    },
    routes=(Route("POST", "/v1/payment_records/report_payment", _report, REPORTED),),
)
