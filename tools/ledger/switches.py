"""Switches that people turn, and that outlive every process. Who turned them and why is in the audit log."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.ledger.audit import append
from tools.ledger.repository import Repository, insert
from tools.ledger.tables import switches
from tools.ledger.types import Json, Switch

AUTOMATIC = "automatic"
"""Off: nothing is carried out that no person has approved. The database holds it too (migration 0003)."""


class Switches(Repository):
    async def turn_switch(self, name: str, *, on: bool, actor: str, reason: str) -> Switch:
        """Turning it to where it is already changes nothing, and the first word stays."""
        now = self._now()
        said: Json = {"on": on, "actor": actor, "reason": reason, "at": now}
        async with self._database.write() as connection:
            turned = insert(connection, switches).values(name=name, **said)
            elsewhere = switches.c.on.is_not(on)
            turn = turned.on_conflict_do_update(index_elements=["name"], set_=said, where=elsewhere)
            if (await connection.execute(turn)).rowcount == 1:
                await append(
                    connection, now, "switch.turned", {"name": name, "on": on, "actor": actor, "reason": reason}
                )
            kept = (await connection.execute(select(switches).where(switches.c.name == name))).mappings().one()
            return Switch(**kept)

    async def switch(self, name: str) -> Switch | None:
        """None: never turned, which is on."""
        async with self._database.read() as connection:
            return await find_switch(connection, name)

    async def is_on(self, name: str) -> bool:
        switch = await self.switch(name)
        return switch is None or switch.on


async def find_switch(connection: AsyncConnection, name: str, *, lock: bool = False) -> Switch | None:
    wanted = select(switches).where(switches.c.name == name)
    row = (await connection.execute(wanted.with_for_update(read=True) if lock else wanted)).mappings().one_or_none()
    return Switch(**row) if row else None
