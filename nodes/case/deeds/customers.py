"""What a customer's invoices say, and the way to a new card."""

from dataclasses import asdict

from nodes.case.deeds.deed import InOneRequest, Json, Owed
from tools.billing.powers import Address, BillingDetails, HeldDetails, MoneyMover, TaxId
from tools.billing.types import BillingReader
from tools.errors import NotFound
from tools.ledger.digest import sha256_of
from tools.ledger.types import Action


class BillingDetailsDeed:
    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        """What would be replaced, and nothing else of them."""
        held = await billing.billing_details(target)
        return {"customer": target} | {name: _held(held, name) for name in sorted(details["changes"])}

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        changed = await mover.update_billing_details(
            customer=action.target,
            details=details_of(action.details["changes"]),
            action_id=action.id,
            idempotency_key=key,
        )
        return changed.id

    async def found(self, billing: BillingReader, action: Action) -> str | None:
        """By the mark that is written with the last part of it. A tax id alone, cut short before that, is no deed yet:
        a repeat does not add it again. Of somebody who was deleted since, nothing stands.
        """
        try:
            customer = await billing.customer(action.target)
        except NotFound:
            return None
        return customer.id if action.id in customer.actions else None

    async def begun(self, billing: BillingReader, action: Action) -> bool:
        """The tax id comes first, and carries no mark of ours: that it is there as agreed is all that can be seen."""
        wanted = action.details["changes"].get("tax_id")
        if not wanted:
            return False
        held = await billing.billing_details(action.target)
        return any((each.kind, each.value) == (wanted["kind"], wanted["value"]) for each in held.tax_ids)

    def owed(self, action: Action) -> list[Owed]:
        return []


class PaymentMethodLinkDeed(InOneRequest):
    """Nothing happens at Stripe: the link is made when the owner presses for it, and is never stored."""

    async def evidence(self, billing: BillingReader, target: str, details: Json) -> Json:
        """That they are there, and were not deleted."""
        return {"customer": (await billing.customer(target)).id}

    async def send(self, mover: MoneyMover, action: Action, key: str) -> str:
        return action.target

    async def found(self, billing: BillingReader, action: Action) -> str | None:
        return action.target

    def owed(self, action: Action) -> list[Owed]:
        return []


def details_of(changes: Json) -> BillingDetails:
    address, tax_id = changes.get("address"), changes.get("tax_id")
    return BillingDetails(
        name=changes.get("name"),
        email=changes.get("email"),
        address=Address(**address) if address else None,
        tax_id=TaxId(**tax_id) if tax_id else None,
    )


def _held(held: HeldDetails, name: str) -> str | None:
    """The card shows names and addresses of mail; of the rest a digest does, which nobody has to keep safe."""
    match name:
        case "name":
            return held.name
        case "email":
            return held.email
        case "address":
            return sha256_of(asdict(held.address)) if held.address else None
        case _:
            return sha256_of(sorted([each.kind, each.value] for each in held.tax_ids))
