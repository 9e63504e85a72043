"""One customer with everything that can be read or changed, made at the simulated Stripe itself."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import stripe

from tests.fixtures.sandbox import Sandbox
from tools.billing.powers import Address, BillingDetails, PlanChange, TaxId
from tools.money import Money

ACTION = "act_1"
DETAILS = BillingDetails(
    name="Ada & Sons",
    address=Address(line1="1 Harbour Rd", city="Cork", postal_code="T12", country="IE"),
    tax_id=TaxId(kind="eu_vat", value="IE1234567X"),
)


@dataclass
class Books:
    """What counts is what Stripe holds: `made` says how often the write named so stands there."""

    sandbox: Sandbox

    @cached_property
    def v1(self) -> Any:
        return self.sandbox.stripe().v1

    @cached_property
    def customer(self) -> str:
        person = self.v1.customers.create({"email": "ada@example.com", "phone": "+14155550100", "name": "Ada"})
        card = self.v1.payment_methods.attach("pm_card_visa", {"customer": person.id})
        self.v1.customers.update(person.id, {"invoice_settings": {"default_payment_method": card.id}})
        return str(person.id)

    @cached_property
    def card(self) -> str:
        return str(self.v1.payment_methods.list({"customer": self.customer}).data[0].id)

    @cached_property
    def charge(self) -> str:
        """50.00 USD, of no invoice."""
        made = self.v1.payment_intents.create(
            {
                "amount": 5000,
                "currency": "usd",
                "customer": self.customer,
                "payment_method": self.card,
                "confirm": True,
                "off_session": True,
            }
        )
        return str(made.latest_charge)

    @cached_property
    def draft(self) -> str:
        made = self.v1.invoices.create(
            {"customer": self.customer, "collection_method": "send_invoice", "days_until_due": 14}
        )
        self.v1.invoice_items.create(
            {"customer": self.customer, "invoice": made.id, "amount": 120_000, "currency": "usd"}
        )
        return str(made.id)

    @cached_property
    def owed(self) -> str:
        """1,200.00 USD on an open invoice."""
        return str(self.v1.invoices.finalize_invoice(self.draft).id)

    @cached_property
    def plan(self) -> stripe.Subscription:
        """Two seats at 12.00 USD a month."""
        product = self.v1.products.create({"name": "Seats"})
        price = self.v1.prices.create(
            {"product": product.id, "currency": "usd", "unit_amount": 1200, "recurring": {"interval": "month"}}
        )
        made: stripe.Subscription = self.v1.subscriptions.create(
            {"customer": self.customer, "items": [{"price": price.id, "quantity": 2}]}
        )
        return made

    @property
    def seats(self) -> PlanChange:
        item = self.plan.to_dict()["items"]["data"][0]
        return PlanChange(
            item=item["id"], quantity=5, proration_date=datetime.fromtimestamp(item["current_period_start"], UTC)
        )

    def begin_instalment(self) -> None:
        """Made, and not charged yet."""
        self.v1.payment_intents.create(
            {
                "amount": 40_000,
                "currency": "usd",
                "customer": self.customer,
                "metadata": {"action_id": ACTION, "invoice": self.owed},
            }
        )

    def call(self, write: str) -> dict[str, Any]:
        """The arguments of that write, with what it needs at Stripe made first."""
        arguments: dict[str, Any] = getattr(self, f"_{write}")()
        by = {} if write == "portal_link" else {"action_id": ACTION}
        return arguments | by | {"idempotency_key": f"{write}:{ACTION}"}

    def made(self, write: str) -> int:
        counted: int = getattr(self, f"_{write}_made")()
        return counted

    def _refund(self) -> dict[str, Any]:
        return {"charge": self.charge, "amount": Money(500, "usd"), "reason": "duplicate"}

    def _refund_made(self) -> int:
        return len(self.v1.refunds.list({"charge": self.charge}).data)

    def _credit_note(self) -> dict[str, Any]:
        return {"invoice": self.owed, "amount": Money(1000, "usd"), "reason": "order_change"}

    def _credit_note_made(self) -> int:
        return len(self.v1.credit_notes.list({"invoice": self.owed}).data)

    def _add_credit(self) -> dict[str, Any]:
        return {"customer": self.customer, "amount": Money(700, "usd"), "description": "sorry"}

    def _add_credit_made(self) -> int:
        return len(self.v1.customers.balance_transactions.list(self.customer).data)

    def _pay_instalment(self) -> dict[str, Any]:
        return {
            "invoice": self.owed,
            "customer": self.customer,
            "amount": Money(40_000, "usd"),
            "payment_method": self.card,
        }

    def _pay_instalment_made(self) -> int:
        """What the card paid and what the invoice got are the same money, and whose it is can be read off it."""
        intents = self.v1.payment_intents.list({"customer": self.customer}).data
        moved = [each for each in intents if each.status == "succeeded"]
        got = self.v1.invoices.retrieve(self.owed).amount_paid
        assert {(ACTION, self.owed)} >= {(each.metadata["action_id"], each.metadata["invoice"]) for each in moved}
        assert got == sum(each.amount for each in moved)
        return len(moved)

    def _stop_collection(self) -> dict[str, Any]:
        self.v1.invoices.update(self.owed, {"auto_advance": True})
        return {"invoice": self.owed}

    def _stop_collection_made(self) -> int:
        held = self.v1.invoices.retrieve(self.owed)
        return int(not held.auto_advance and held.metadata["action_id"] == ACTION)

    def _start_collection(self) -> dict[str, Any]:
        self.v1.invoices.update(self.owed, {"auto_advance": False})
        return {"invoice": self.owed}

    def _start_collection_made(self) -> int:
        held = self.v1.invoices.retrieve(self.owed)
        return int(held.auto_advance and held.metadata.to_dict().get("action_id") == ACTION)

    def _extend_due_date(self) -> dict[str, Any]:
        due = self.v1.invoices.retrieve(self.draft).created + 30 * 86_400
        return {"invoice": self.draft, "due": datetime.fromtimestamp(due, UTC)}

    def _extend_due_date_made(self) -> int:
        held = self.v1.invoices.retrieve(self.draft)
        return int(held.due_date == held.created + 30 * 86_400)

    def _resend_invoice(self) -> dict[str, Any]:
        return {"invoice": self.owed}

    def _resend_invoice_made(self) -> int:
        return self._events("invoice.sent")

    def _cancel_at_period_end(self) -> dict[str, Any]:
        return {"subscription": self.plan.id}

    def _cancel_at_period_end_made(self) -> int:
        return int(self._held_plan().cancel_at_period_end)

    def _undo_cancel(self) -> dict[str, Any]:
        self.v1.subscriptions.update(self.plan.id, {"cancel_at_period_end": True})
        return {"subscription": self.plan.id}

    def _undo_cancel_made(self) -> int:
        return int(not self._held_plan().cancel_at_period_end)

    def _cancel_now(self) -> dict[str, Any]:
        return {"subscription": self.plan.id, "credit_unused": True}

    def _cancel_now_made(self) -> int:
        ended = self._held_plan().status == "canceled"
        assert self._events("customer.subscription.deleted") == int(ended)
        return int(ended)

    def _pause_collection(self) -> dict[str, Any]:
        until = self.plan.to_dict()["items"]["data"][0]["current_period_end"]
        return {"subscription": self.plan.id, "resumes_at": datetime.fromtimestamp(until, UTC) + timedelta(days=3)}

    def _pause_collection_made(self) -> int:
        return int(self._held_plan().pause_collection is not None)

    def _resume_collection(self) -> dict[str, Any]:
        self.v1.subscriptions.update(self.plan.id, {"pause_collection": {"behavior": "void"}})
        return {"subscription": self.plan.id}

    def _resume_collection_made(self) -> int:
        return 1 - self._pause_collection_made()

    def _change_subscription(self) -> dict[str, Any]:
        return {"subscription": self.plan.id, "change": self.seats}

    def _change_subscription_made(self) -> int:
        """Seats and the invoice for them come together."""
        more = len(self.v1.invoices.list({"subscription": self.plan.id}).data) - 1
        assert int(self._held_plan().to_dict()["items"]["data"][0]["quantity"] == 5) == more
        return more

    def _update_billing_details(self) -> dict[str, Any]:
        return {"customer": self.customer, "details": DETAILS}

    def _update_billing_details_made(self) -> int:
        """Either half counts: a definite no must mean that neither is there."""
        named = self.v1.customers.retrieve(self.customer).name == DETAILS.name
        return max(int(named), len(self.v1.customers.tax_ids.list(self.customer).data))

    def _portal_link(self) -> dict[str, Any]:
        return {"customer": self.customer, "flow": "payment_method_update", "return_url": "https://example.com/"}

    def _portal_link_made(self) -> int:
        """Leaves nothing that matters at Stripe."""
        return 0

    def _held_plan(self) -> Any:
        return self.v1.subscriptions.retrieve(self.plan.id)

    def _events(self, type_: str) -> int:
        return len(self.v1.events.list({"type": type_}).data)
