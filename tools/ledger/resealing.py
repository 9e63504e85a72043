"""Seals everything anew with the newest key, so that an older one can be taken away."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, Text, and_, cast, func, select, update

from tools.ledger.repository import Repository
from tools.ledger.sealed import SealedJson, SealedText
from tools.ledger.tables import metadata
from tools.sealing.keyring import ERASED, MARK, Keyring

BATCH = 200
OTHER = "other:"
"""No key can have this id."""


@dataclass(frozen=True, kw_only=True)
class Resealed:
    """How many values of one column were sealed anew just now."""

    place: str
    values: int


class Resealing(Repository):
    async def reseal(self) -> AsyncIterator[Resealed]:
        """Safe beside running servers, and after being stopped: a value that changed meanwhile is left as it is.

        Raises `CannotOpen` at the first value whose key is not given.
        """
        for table, column in sealed_columns():
            while resealed := await self._reseal_some(table, column):
                yield Resealed(place=f"{table.name}.{column.name}", values=resealed)

    async def sealed_with(self) -> Counter[str]:
        """How many values each of the keys seals, by its id; those of other keys and plain ones under `other`."""
        keys, found = self._database.keys.keys, Counter[str]()
        async with self._database.read() as connection:
            for _, column in sealed_columns():
                there = and_(column.is_not(None), _raw(column) != ERASED)
                each = {name: func.count().filter(_is_sealed_with(column, name)) for name in keys}
                columns = [count.label(name) for name, count in ({OTHER: func.count()} | each).items()]
                counted = dict((await connection.execute(select(*columns).where(there))).mappings().one())
                counted[OTHER] -= sum(counted[name] for name in keys)
                found.update(counted)
        return +found

    async def _reseal_some(self, table: Table, column: Column[str]) -> int:
        async with self._database.write() as connection:
            rows: list[Any] = list(await connection.execute(_older(table, column, self._database.keys)))
            for *identity, opened, raw in rows:
                same = [one == value for one, value in zip(table.primary_key, identity, strict=True)]
                there = and_(*same, _raw(column) == raw)
                await connection.execute(update(table).where(there).values({column.name: opened}))
        return len(rows)


def sealed_columns() -> Iterator[tuple[Table, Column[str]]]:
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, SealedText | SealedJson):
                yield table, column


def _older(table: Table, column: Column[str], keys: Keyring) -> Select[tuple[str, ...]]:
    """Key, opened value and what stands there, of values that the newest key does not seal."""
    raw = _raw(column)
    wanted = select(*table.primary_key, column, raw.label("raw"))
    return wanted.where(column.is_not(None), raw != ERASED, ~_is_sealed_with(column, keys.newest)).limit(BATCH)


def _raw(column: Column[str]) -> ColumnElement[str]:
    """What stands there, without the quotes that a JSON column puts around a seal."""
    return func.trim(cast(column, Text), '"')


def _is_sealed_with(column: Column[str], key_id: str) -> ColumnElement[bool]:
    return _raw(column).startswith(f"{MARK}{key_id}:", autoescape=True)
