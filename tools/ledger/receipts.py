"""Counterfoils: numbered without a gap, named by their digest, witnessed by the audit log."""

from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.ledger.actions import find
from tools.ledger.audit import append, genuine_entry
from tools.ledger.digest import plain, sha256_of
from tools.ledger.erasing import receipt_without_details
from tools.ledger.redactions import redaction_of
from tools.ledger.repository import Repository, insert
from tools.ledger.tables import counters, receipts
from tools.ledger.types import Approval, Effect, Json, Receipt
from tools.safety.deep import mask_deep

_FIELDS = [column for column in receipts.c if column is not receipts.c.audited]


class Receipts(Repository):
    async def issue_receipt(self, action_id: str, body: Json) -> Receipt:
        """One per action: asked again, the first is given back whatever the body."""
        async with self._database.write() as connection:
            await find(connection, action_id, lock=True)
            kept = await _one(connection, action=action_id)
            return kept or await self._issue(connection, action_id, body)

    async def receipt(self, number: str) -> Receipt | None:
        async with self._database.read() as connection:
            return await _one(connection, number=number)

    async def receipt_of(self, action_id: str) -> Receipt | None:
        async with self._database.read() as connection:
            return await _one(connection, action=action_id)

    async def verify_receipt(self, number: str) -> bool:
        """Whether the body is the one issued: by its digest, and by what the audit log says of it.

        Of one whose details were erased, the digest of what is left was logged when it was issued.
        """
        wanted = select(*_FIELDS, receipts.c.audited)
        async with self._database.read() as connection:
            row = (await connection.execute(wanted.where(receipts.c.number == number))).one_or_none()
            witness = await genuine_entry(connection, row.audited) if row else None
            if row is None or witness is None or witness.event != "receipt.issued":
                return False
            said = dict(witness.data)
            left, named = said.pop("left", None), _witness(row.number, row.action, row.digest)
            if redaction := await redaction_of(connection, row.action):
                expected = left or redaction.receipt_left
            else:
                expected = row.digest
            return said == mask_deep(plain(named)) and sha256_of(row.body) == expected

    async def audit_place(self, number: str) -> int | None:
        """Where the audit log witnesses it."""
        async with self._database.read() as connection:
            place: int | None = await connection.scalar(select(receipts.c.audited).where(receipts.c.number == number))
        return place

    async def _issue(self, connection: AsyncConnection, action_id: str, body: Json) -> Receipt:
        now = self._now()
        number = f"CF-{now.year}-{await _next(connection, f'receipts-{now.year}'):06d}"
        digest = sha256_of(body)
        left = sha256_of(receipt_without_details(plain(body)))
        entry = await append(connection, now, "receipt.issued", _witness(number, action_id, digest) | {"left": left})
        receipt = Receipt(number=number, action=action_id, body=plain(body), digest=digest, created=now)
        await connection.execute(receipts.insert().values(asdict(receipt) | {"audited": entry.sequence}))
        return receipt


def on_receipt(row: Approval | Effect) -> Json:
    """A row of the action as its receipt has it: which action it is of goes without saying."""
    return {name: value for name, value in asdict(row).items() if name != "action"}


def _witness(number: str, action_id: str, digest: str) -> Json:
    return {"number": number, "action": action_id, "digest": digest}


async def _one(connection: AsyncConnection, **key: str) -> Receipt | None:
    row = (await connection.execute(select(*_FIELDS).filter_by(**key))).mappings().one_or_none()
    return Receipt(**row) if row else None


async def _next(connection: AsyncConnection, name: str) -> int:
    """The counter is locked until the transaction ends, so a number that comes to nothing is given back."""
    first = insert(connection, counters).values(name=name, value=1)
    step = first.on_conflict_do_update(index_elements=["name"], set_={"value": counters.c.value + 1})
    value: int = (await connection.execute(step.returning(counters.c.value))).scalar_one()
    return value
