"""From Stripe's JSON to what bends an invoice afterwards: disputes, credit notes, credit balances."""

from collections.abc import Mapping

from tools.billing.powers import Instalment
from tools.billing.translate import Json, clean, identifier, known, moment
from tools.billing.types import CreditEntry, CreditNote, CreditNoteStatus, Dispute
from tools.money import Money


def dispute_of(raw: Json) -> Dispute:
    due = (raw.get("evidence_details") or {}).get("due_by")
    return Dispute(
        id=raw["id"],
        charge=identifier(raw["charge"]) or "",
        status=raw["status"],
        reason=clean(raw.get("reason"), longest=80),
        amount=Money(raw["amount"], raw["currency"]),
        created=moment(raw["created"]),
        due_by=moment(due) if due else None,
        refundable=raw["is_charge_refundable"],
    )


def credit_note_of(raw: Json) -> CreditNote:
    refunds = (identifier(each.get("refund")) for each in raw.get("refunds") or () if isinstance(each, Mapping))
    return CreditNote(
        id=raw["id"],
        number=clean(raw.get("number"), longest=80),
        invoice=identifier(raw["invoice"]) or "",
        amount=Money(raw["total"], raw["currency"]),
        reason=raw.get("reason"),
        status=known(raw["status"], CreditNoteStatus),
        created=moment(raw["created"]),
        refunds=tuple(refund for refund in refunds if refund),
        memo=clean(raw.get("memo")) or None,
        action_id=(raw.get("metadata") or {}).get("action_id"),
    )


def credit_entry_of(raw: Json) -> CreditEntry:
    return CreditEntry(
        id=raw["id"],
        amount=Money(raw["amount"], raw["currency"]),
        balance=Money(raw["ending_balance"], raw["currency"]),
        kind=raw["type"],
        created=moment(raw["created"]),
        description=clean(raw.get("description")),
        invoice=identifier(raw.get("invoice")),
        action_id=(raw.get("metadata") or {}).get("action_id"),
    )


def instalment_of(raw: Json) -> Instalment:
    """Of a payment intent that `pay_instalment` made; its metadata says for which invoice."""
    metadata = raw.get("metadata") or {}
    return Instalment(
        payment_intent=raw["id"],
        invoice=metadata["invoice"],
        amount=Money(raw["amount"], raw["currency"]),
        status=raw["status"],
        charge=identifier(raw.get("latest_charge")),
        action_id=metadata.get("action_id"),
    )
