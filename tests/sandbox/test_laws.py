"""Random histories against the running sandbox: what must hold after every step, whatever came before.

The machine keeps its own books in a few lines and foretells each answer from them; the sandbox must agree. At
the end of each history everything is read again and held against the laws.
"""

from typing import Any, ClassVar

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.fixtures.sandbox import Sandbox
from tests.sandbox.books import Bill, Payment, Sent
from tests.sandbox.conftest import Api

HISTORIES, STEPS, DEMANDED = 60, 60, 2000
LAG = 5
DECLINING = {
    "pm_card_chargeDeclined": "generic_decline",
    "pm_card_chargeDeclinedInsufficientFunds": "insufficient_funds",
    "pm_card_chargeDeclinedExpiredCard": "expired_card",
}
NEXT = {
    "warning_needs_response": ("warning_under_review", "warning_closed", "needs_response"),
    "warning_under_review": ("warning_closed", "needs_response"),
    "needs_response": ("under_review", "won", "lost"),
    "under_review": ("won", "lost"),
}


PARTS = st.floats(-0.1, 1.2) | st.integers(-1, 1)
"""Parts of a whole, and, since errors live at edges, what is left by one less or more."""


def near(left: int, whole: int, part: float) -> int:
    return left + part if isinstance(part, int) else int(whole * part)


class Laws(RuleBasedStateMachine):
    api: ClassVar[Api]
    sandbox: ClassVar[Sandbox]
    steps: ClassVar[int] = 0

    payments: Bundle[Payment] = Bundle("payments")
    bills: Bundle[Bill] = Bundle("bills")
    sent: Bundle[Sent] = Bundle("sent")

    @initialize()
    def begin(self) -> None:
        self.sandbox.reset(seed=None)
        self.sandbox.post("search", lag=LAG)
        self.books: list[Payment] = []
        self.ledger: list[Bill] = []
        self.keys = 0
        self.customer = self.api.make("customers", email="law@example.com")["id"]

    def _key(self) -> str:
        self.keys += 1
        return f"law-{self.keys}"

    def _step(self) -> None:
        type(self).steps += 1

    def _post(self, path: str, **form: Any) -> tuple[httpx.Response, Sent]:
        self._step()
        key = self._key()
        answer = self.api.post(path, key=key, **form)
        assert answer.status_code < 500, answer.text
        return answer, Sent(path, key, form, answer.status_code, answer.json())

    @rule(
        target=payments,
        amount=st.integers(50, 20_000),
        currency=st.sampled_from(("usd", "usd", "eur", "jpy", "kwd")),
        card=st.sampled_from(("pm_card_visa", "pm_card_visa", "pm_card_mastercard", "pm_card_pendingRefund")),
    )
    def pay(self, amount: int, currency: str, card: str) -> Payment:
        amount = amount * 10 if currency == "kwd" else amount
        form = {"amount": amount, "currency": currency, "payment_method": card, "confirm": "true"}
        answer, _ = self._post("payment_intents", customer=self.customer, **form)
        assert ("succeeded", amount) == (answer.json()["status"], answer.json()["amount_received"])
        made = Payment(answer.json()["latest_charge"], amount, currency)
        self.books.append(made)
        return made

    @rule(target=sent, card=st.sampled_from(sorted(DECLINING)), amount=st.integers(50, 900))
    def be_declined(self, card: str, amount: int) -> Sent:
        form = {"amount": amount, "currency": "usd", "payment_method": card, "confirm": "true"}
        answer, sent = self._post("payment_intents", customer=self.customer, **form)
        error = answer.json()["error"]
        assert (402, DECLINING[card]) == (answer.status_code, error["decline_code"])
        assert (400, "charge_not_refundable", None) == self.api.error(self.api.post("refunds", charge=error["charge"]))
        return sent

    @rule(
        target=sent,
        payment=payments,
        share=st.none() | PARTS,
        reason=st.sampled_from(("duplicate", "requested_by_customer")),
    )
    def refund(self, payment: Payment, share: float | None, reason: str) -> Sent:
        amount = None if share is None else near(payment.remaining, payment.captured, share)
        form: dict[str, Any] = {"charge": payment.charge, "reason": reason} | (
            {} if amount is None else {"amount": amount}
        )
        expected, left = payment.refusal(amount), payment.remaining
        answer, sent = self._post("refunds", **form)
        if expected:
            assert expected == self.api.error(answer)
        else:
            refund = answer.json()
            assert (left if amount is None else amount) == refund["amount"]
            payment.refunds[refund["id"]] = refund["amount"]
        return sent

    @rule(target=bills, amount=st.integers(100, 20_000))
    def bill(self, amount: int) -> Bill:
        """An open invoice, of a customer of its own: credit must not wander into the next one."""
        self._step()
        customer = self.api.make("customers", email="bill@example.com")["id"]
        method = self.api.make("payment_methods/pm_card_visa/attach", customer=customer)["id"]
        default = {"invoice_settings[default_payment_method]": method}
        self.api.make(f"customers/{customer}", **default)
        draft = self.api.make("invoices", customer=customer, auto_advance="false")["id"]
        self.api.make("invoiceitems", customer=customer, invoice=draft, amount=amount, currency="usd")
        made = Bill(self.api.make(f"invoices/{draft}/finalize")["id"], customer, amount)
        self.ledger.append(made)
        return made

    @rule(bill=bills)
    def settle_bill(self, bill: Bill) -> None:
        due = bill.remaining
        answer, _ = self._post(f"invoices/{bill.invoice}/pay")
        assert (200 if due else 400) == answer.status_code
        if due:
            paid = self.api.read("invoice_payments", invoice=bill.invoice, status="paid")["data"][0]
            intent = self.api.read(f"payment_intents/{paid['payment']['payment_intent']}")
            bill.payment = Payment(intent["latest_charge"], due, "usd")
            self.books.append(bill.payment)

    @rule(bill=bills, fraction=st.floats(0.05, 0.6))
    def refund_bill(self, bill: Bill, fraction: float) -> None:
        """Directly, with no note about it."""
        if bill.payment:
            self.refund(bill.payment, fraction, "requested_by_customer")

    @rule(target=sent, bill=bills, part=PARTS, to_card=st.sampled_from((0.0, 0.5, 1.0)))
    def credit(self, bill: Bill, part: float, to_card: float) -> Sent:
        """What is still to be paid is lowered; the rest is split between card and credit balance."""
        amount = max(1, near(bill.creditable, bill.total, part))
        after = amount - min(amount, bill.remaining)
        refund = int(after * to_card)
        expected, before_payment = bill.refusal(amount, refund), amount - after
        form: dict[str, Any] = {"invoice": bill.invoice, "amount": amount}
        form |= {"refund_amount": refund, "credit_amount": after - refund} if after else {}
        answer, sent = self._post("credit_notes", **form)
        if expected:
            assert expected == self.api.error(answer)
            return sent
        note = answer.json()
        assert (before_payment, after) == (note["pre_payment_amount"], note["post_payment_amount"])
        bill.notes[note["id"]] = amount
        bill.before_payment += before_payment
        bill.credited += after - refund
        for each in note["refunds"]:
            assert bill.payment
            bill.made_by_notes.add(each["refund"])
            bill.payment.refunds[each["refund"]] = each["amount_refunded"]
        return sent

    @rule(bill=bills)
    def void_the_last_note(self, bill: Bill) -> None:
        """Possible while there is something left to pay."""
        if bill.notes:
            note, amount = list(bill.notes.items())[-1]
            answer, _ = self._post(f"credit_notes/{note}/void")
            assert (200 if bill.remaining else 400) == answer.status_code
            if bill.remaining:
                del bill.notes[note]
                bill.before_payment -= amount

    @rule(payment=payments)
    def have_the_last_refund_come_back(self, payment: Payment) -> None:
        if payment.refunds:
            self._step()
            refund, _ = payment.refunds.popitem()
            self.sandbox.post("refunds", refund=refund, status="failed", failure_reason="declined")

    @rule(payment=payments, inquiry=st.booleans())
    def dispute(self, payment: Payment, *, inquiry: bool) -> None:
        if payment.dispute or payment.remaining == 0:
            return
        self._step()
        payment.dispute_status = "warning_needs_response" if inquiry else "needs_response"
        self._expect_chargeback(payment)
        payment.dispute = self.sandbox.open_dispute(payment.charge, status=payment.dispute_status)["id"]

    @rule(payment=payments, choice=st.integers(0, 2))
    def have_the_bank_decide(self, payment: Payment, choice: int) -> None:
        if following := NEXT.get(payment.dispute_status):
            self._step()
            inquiry = payment.dispute_status.startswith("warning_")
            payment.dispute_status = following[choice % len(following)]
            if inquiry:
                self._expect_chargeback(payment)
            self.sandbox.post("disputes", dispute=payment.dispute, status=payment.dispute_status)

    def _expect_chargeback(self, payment: Payment) -> None:
        """When the bank takes the money itself, refunds that are still on their way come to nothing."""
        if payment.dispute_status == "needs_response":
            listed = self.api.read("refunds", charge=payment.charge, limit=100)["data"]
            for each in listed:
                if each["status"] == "pending":
                    payment.refunds.pop(each["id"])

    @rule(sent=sent)
    def repeat(self, sent: Sent) -> None:
        """The same key and parameters: the same answer to the letter, and nothing done."""
        self._step()
        again = self.api.post(sent.path, key=sent.key, **sent.form)
        assert (sent.status, sent.body) == (again.status_code, again.json())

    @rule(target=sent, payment=payments)
    def lose_the_answer(self, payment: Payment) -> Sent:
        """The refund is made and its answer lost in a gateway: the same key finds it, and it is made once."""
        self._step()
        amount = payment.captured // 70 * 10 + 10
        key, form = self._key(), {"charge": payment.charge, "amount": amount}
        expected = payment.refusal(amount)
        self.sandbox.fault(method="POST", path="/v1/refunds$", kind="status_after_commit", status=502)
        assert 502 == self.api.post("refunds", key=key, **form).status_code
        found = self.api.post("refunds", key=key, **form)
        if expected:
            assert expected == self.api.error(found)
        else:
            payment.refunds[found.json()["id"]] = amount
        return Sent("refunds", key, form, found.status_code, found.json())

    def teardown(self) -> None:
        for payment in self.books:
            self._check_refunds(payment)
        for bill in self.ledger:
            self._check_bill(bill)
        self._check_search()

    def _check_refunds(self, payment: Payment) -> None:
        charge = self.api.read(f"charges/{payment.charge}")
        listed = self.api.read("refunds", charge=payment.charge, limit=100)["data"]
        standing = {each["id"]: each["amount"] for each in listed if each["status"] not in {"failed", "canceled"}}
        assert payment.refunds == standing
        assert sum(standing.values()) == charge["amount_refunded"] <= charge["amount_captured"] == payment.captured
        assert charge["refunded"] == (charge["amount_refunded"] == charge["amount_captured"])
        assert bool(payment.dispute) == charge["disputed"]

    def _check_bill(self, bill: Bill) -> None:
        invoice = self.api.read(f"invoices/{bill.invoice}")
        listed = self.api.read("credit_notes", invoice=bill.invoice, limit=100)["data"]
        issued = {each["id"]: each["amount"] for each in listed if each["status"] == "issued"}
        lowered = invoice["pre_payment_credit_notes_amount"], invoice["post_payment_credit_notes_amount"]
        assert bill.notes == issued
        assert sum(issued.values()) == sum(lowered) <= bill.total == invoice["total"]
        assert (bill.before_payment, bill.remaining) == (lowered[0], invoice["amount_remaining"])
        assert bill.total - bill.before_payment == invoice["amount_paid"] + invoice["amount_remaining"]
        assert ("open" if bill.remaining else "paid") == invoice["status"]
        assert -bill.credited == self.api.read(f"customers/{bill.customer}")["balance"]

    def _check_search(self) -> None:
        self.sandbox.advance(LAG + 1)
        listed = self.api.read("charges", customer=self.customer, limit=100)["data"]
        found = self.api.read("charges/search", query=f"customer:'{self.customer}'", limit=100)["data"]
        assert listed == found


def test_money_keeps_its_laws_over_random_histories(
    api: Api, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    Laws.api, Laws.sandbox, Laws.steps = api, sandbox, 0
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Laws,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with capsys.disabled():
        print(f"\n{Laws.steps} steps in random histories, every law held")  # noqa: T201 - a figure for the log
    assert DEMANDED <= Laws.steps
