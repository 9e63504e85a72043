"""Whether a receipt is what was issued, and says what the rest of the ledger says. Each check by itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tools.ledger.digest import own_digest, plain, sha256_of
from tools.ledger.erasing import receipt_without_details
from tools.ledger.ledger import Ledger
from tools.ledger.receipts import on_receipt
from tools.ledger.types import Action, Json, Receipt


@dataclass(frozen=True, kw_only=True)
class Check:
    name: str
    holds: bool
    wrong: str
    """What it means when it does not hold."""


async def examine(ledger: Ledger, held: Receipt) -> list[Check]:
    """`held` is the ledger's own, or one that somebody brought: then it has to be the ledger's."""
    action = await ledger.action(held.action)
    return [Check(name=name, holds=await check(ledger, held, action), wrong=wrong) for name, check, wrong in _CHECKS]


async def _digest(ledger: Ledger, held: Receipt, _action: Action | None) -> bool:
    """Or it is word for word what the ledger has left of it, which the audit log has to bear out."""
    if sha256_of(held.body) == held.digest:
        return True
    kept = await ledger.receipt(held.number)
    return kept is not None and kept.body == held.body and await ledger.verify_receipt(held.number)


async def _issued(ledger: Ledger, held: Receipt, _action: Action | None) -> bool:
    kept = await ledger.receipt(held.number)
    return kept is not None and (kept.action, kept.digest) == (held.action, held.digest)


async def _audit(ledger: Ledger, held: Receipt, _action: Action | None) -> bool:
    return await ledger.verify_receipt(held.number)


async def _own(ledger: Ledger, held: Receipt, action: Action | None) -> bool:
    """Its record is unchanged since people agreed to it, or since its details were erased, and is the receipt's."""
    if action is None or action.digest != held.body.get("action_digest"):
        return False
    if redaction := await ledger.redaction(action.id):
        unchanged = (redaction.left, redaction.digest) == (own_digest(action), action.digest)
    else:
        unchanged = own_digest(action) == action.digest
    return unchanged and _terms(action).items() <= held.body.items()


def _terms(action: Action) -> Json:
    return {
        "kind": action.kind,
        "customer": action.customer,
        "target": action.target,
        "amount": action.amount.amount,
        "currency": action.amount.currency,
        "rule": action.rule,
        "policy_version": action.policy_version,
    }


async def _approvals(ledger: Ledger, held: Receipt, _action: Action | None) -> bool:
    kept = plain([on_receipt(one) for one in await ledger.approvals(held.action)])
    if await ledger.redaction(held.action):
        return _words_aside(held.body.get("approved_by", [])) == _words_aside(kept)
    return bool(held.body.get("approved_by", []) == kept)


def _words_aside(said: list[Json]) -> list[Json]:
    return list(receipt_without_details({"approved_by": said})["approved_by"])


async def _effects(ledger: Ledger, held: Receipt, _action: Action | None) -> bool:
    made = [effect.stripe_id for effect in await ledger.effects(held.action) if effect.stripe_id]
    return bool(held.body.get("stripe_id") == next(iter(made), None))


_CHECKS: tuple[tuple[str, Callable[[Ledger, Receipt, Action | None], Awaitable[bool]], str], ...] = (
    ("digest", _digest, "Its text is not the text that its digest was made of."),
    ("issued", _issued, "The ledger issued no such receipt under this number."),
    ("audit log", _audit, "The audit log does not witness it, or its text in the ledger was changed."),
    ("action", _own, "The action is not the one that was agreed to, or its record was changed."),
    ("approvals", _approvals, "The approvals on it are not those that colleagues gave."),
    ("effect", _effects, "What it says was done at the payment provider is not what the ledger knows."),
)
