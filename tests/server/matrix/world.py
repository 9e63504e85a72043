"""What the owner has: a conversation with a ticket, runs, actions in several states, a receipt, a promise."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from tests.server.conftest import Live, new_id
from tests.server.deeds import action_in, proposed_action
from tests.server.matrix.table import Row

MARK = "between the two of us"
Names = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class World:
    names: Names
    live: Live

    @classmethod
    async def made(cls, live: Live, token: str) -> Self:
        ledger = live.services.ledger
        async with live.http(token) as http:
            main, busy, plain, unbound = [(await http.post("/threads", json={})).json()["thread_id"] for _ in range(4)]
            for text in (MARK, "person please"):
                run = {"assistant_id": "support", "input": {"messages": [{"role": "human", "content": text}]}}
                answer = await http.post(f"/threads/{main}/runs/wait", json=run)
                assert answer.status_code == 200, answer.text
            run_id = answer.headers["content-location"].rpartition("/")[2]
            checkpoint = (await http.get(f"/threads/{main}/state")).json()["checkpoint_id"]
        ticket = await ledger.ticket_of(main)
        assert ticket is not None
        await ledger.bind_identity(plain, level=2, email="jo@example.com", customer="cus_1", ttl_seconds=1800)
        pending = await ledger.create_run(new_id(), busy, "support", {"type": "handover", "reason": ""})
        small = {"evidence": {"mark": MARK}}
        proposed = await proposed_action(ledger, plain, target=f"ch_{new_id()}", **small)
        waiting = await action_in(ledger, main, "awaiting_approval", target=f"ch_{new_id()}", **small)
        link = await action_in(ledger, plain, "succeeded", kind="payment_method_link", target=f"cus_{new_id()}")
        receipt = await ledger.issue_receipt(link.id, {"kind": MARK})
        await ledger.promise(main, "callback", MARK, datetime.now(UTC) + timedelta(days=1), action=waiting.id)
        names = {
            "assistant": "support", "thread_id": main, "busy": busy, "plain": plain, "open": unbound, "run_id": run_id,
            "checkpoint_id": checkpoint,
            "pending": pending.id, "ticket_id": ticket.id, "action_id": proposed.id, "digest": proposed.digest,
            "waiting": waiting.id, "waiting_digest": waiting.digest, "link": link.id, "number": receipt.number,
        }  # fmt: skip
        return cls(names=names, live=live)

    def elsewhere(self) -> Self:
        """The same names for things that are not there."""
        kept = {"assistant", "digest", "waiting_digest"}
        unknown = {name: new_id() for name in self.names if name not in kept}
        return replace(self, names={**self.names, **unknown, "number": "CF-2026-999999"})

    def request(self, path: str, row: Row) -> dict[str, Any]:
        names = {**self.names, **{name: self.names[which] for name, which in row.using.items()}}
        return {"url": path.format(**names), "json": filled(row.body, names), "params": row.params}

    async def looks(self) -> list[Any]:
        """Everything of it that a caller could have changed."""
        ledger, names = self.live.services.ledger, self.names
        threads = [names[one] for one in ("thread_id", "busy", "plain", "open")]
        return [
            [await ledger.thread(one) for one in threads],
            [await ledger.runs(one, limit=100) for one in threads],
            [await ledger.messages(one) for one in threads],
            [await ledger.action(names[one]) for one in ("action_id", "waiting", "link")],
            [await ledger.identity(one) for one in threads],
            await ledger.ticket(names["ticket_id"]),
            await ledger.switch("automatic"),
        ]


def filled(value: Any, names: Names) -> Any:
    match value:
        case str():
            return value.format(**names)
        case dict():
            return {key: filled(inner, names) for key, inner in value.items()}
        case list():
            return [filled(inner, names) for inner in value]
        case _:
            return value
