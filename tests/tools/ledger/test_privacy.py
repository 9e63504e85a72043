"""What is kept about a customer is found, told and erased; what was done with money stays provable."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import update

from nodes.case.issue_receipt import receipt_body
from tests.fixtures.keys import KEYS
from tests.tools.ledger.builders import Clock, an_action, behind_its_back, bring_to, drop_guards
from tools.errors import Conflict, NotFound
from tools.ledger.digest import canonical, sha256_of
from tools.ledger.erasing import ERASED, receipt_without_details
from tools.ledger.genuine import examine
from tools.ledger.ledger import Ledger
from tools.ledger.privacy import UnderWay
from tools.ledger.tables import receipts, redactions
from tools.ledger.transitions import LIVE
from tools.ledger.types import Action, ActionState, Receipt

EMAIL, PHRASE = "jo.secret@example.com", "my ferret ate the invoice"
PERSONAL = (EMAIL, PHRASE, "Jo's Bakery", "4242", "Jo called about her divorce")
DETAILS = {
    "changes": {"name": "Jo's Bakery", "email": EMAIL},
    "before": {"email": "jo@example.com"},
    "last4": "4242",
    "memo": PHRASE,
    "invoice_number": "ACME-0001",
    "schedule": [{"due": "2026-12-01", "amount": 4900}],
    "evidence_ids": ["ch_1"],
}
VERDICT = {
    "outcome": "needs_approval", "rule": "refund.duplicate", "policy_version": "2026-11-01", "because": "above 100.00",
    "document": "refunds", "anchor": "limits-and-approval",
}  # fmt: skip
THREAD = "thread-1"


@dataclass
class Case:
    action: Action
    receipt: Receipt


async def conversation(ledger: Ledger, thread: str = THREAD, *, owner: str = "anon_jo") -> None:
    """Rows in every table that hangs on a thread."""
    await ledger.create_thread(thread, owner, {})
    await ledger.bind_identity(thread, level=2, email=EMAIL, customer="cus_1", ttl_seconds=60)
    await ledger.create_run(f"run-of-{thread}", thread, "support", {"type": "customer_message", "text": PHRASE})
    await ledger.record_message(thread, "m-1", "customer", "customer", PHRASE, extra={"cards": [DETAILS]})
    await ledger.open_ticket(thread, "asked for a person", {"transcript": [PHRASE]})
    await ledger.record_feedback(thread, 1, PHRASE)
    await ledger.promise(thread, "answer_by", "a colleague answers", ledger._now())


async def receipted(ledger: Ledger, **changes: Any) -> Case:
    """Done, with a person's approval and a receipt."""
    given: dict[str, Any] = {"details": DETAILS, "evidence": {"stripe": {"email": EMAIL, "paid": 1}, "terms": DETAILS}}
    await ledger.record_assessment("action-1", THREAD, "proposal", request={}, verdict=VERDICT)
    waiting = await bring_to(
        ledger, "awaiting_approval", outcome="needs_approval", approvals_needed=1, **(given | changes)
    )
    await ledger.decide_action(
        waiting.id, approve=True, agent="sam", role="agent", digest=waiting.digest, reason="Jo called about her divorce"
    )
    await ledger.begin_action(waiting.id, f"key-of-{waiting.id}")
    done = await ledger.conclude_action(waiting.id, "done", stripe_id="re_1", actor="stripe", reason="")
    return Case(done, await ledger.issue_receipt(done.id, await receipt_body(done, ledger)))


async def failing(ledger: Ledger, receipt: Receipt) -> set[str]:
    return {check.name for check in await examine(ledger, receipt) if not check.holds}


async def everything(ledger: Ledger) -> str:
    kept = await ledger.kept_about(["cus_1"], [THREAD])
    return canonical({name: rows for name, rows in kept.items() if name != "audit"}).decode()


class TestFinding:
    async def test_by_who_is_bound_and_by_the_address_in_any_case(self, ledger: Ledger) -> None:
        await conversation(ledger)
        await ledger.create_thread("thread-2", "anon_kim", {})
        await ledger.bind_identity("thread-2", level=2, email="kim@example.com", customer="cus_2", ttl_seconds=60)
        assert [THREAD] == await ledger.threads_of(["cus_1"])
        assert [THREAD] == await ledger.threads_of([], EMAIL.upper())
        assert {"cus_1"} == await ledger.customers_known_as(f" {EMAIL.title()}")
        assert [] == await ledger.threads_of(["cus_"], "jo@example.com")

    async def test_a_binding_that_ran_out_or_was_replaced_still_tells_whose_it_was(
        self, ledger: Ledger, clock: Clock
    ) -> None:
        await conversation(ledger)
        clock.forward(days=1)
        assert [THREAD] == await ledger.threads_of(["cus_1"])
        await ledger.bind_identity(THREAD, level=2, email="kim@example.com", customer="cus_2", ttl_seconds=60)
        assert [THREAD] == await ledger.threads_of(["cus_1"])
        await ledger.unbind_identity(THREAD)
        assert [THREAD] == await ledger.threads_of(["cus_1"])

    async def test_by_what_was_done_even_when_the_conversation_was_deleted(self, ledger: Ledger) -> None:
        await bring_to(ledger, "succeeded", thread="thread-9")
        assert ["thread-9"] == await ledger.threads_of(["cus_1"])

    async def test_all_of_somebody_whom_the_host_site_vouches_for_but_not_of_a_shared_device(
        self, ledger: Ledger
    ) -> None:
        await conversation(ledger, owner="user_jo")
        await ledger.create_thread("thread-2", "user_jo", {})
        await conversation(ledger, "thread-3", owner="anon_kiosk")
        await ledger.create_thread("thread-4", "anon_kiosk", {})
        assert [THREAD, "thread-2", "thread-3"] == await ledger.threads_of(["cus_1"])

    async def test_more_threads_than_one_statement_takes(self, ledger: Ledger) -> None:
        for number in range(450):
            await ledger.create_thread(f"t-{number:03}", "user_jo", {})
        await ledger.bind_identity("t-007", level=1, email=EMAIL, customer="cus_1", ttl_seconds=60)
        found = await ledger.threads_of(["cus_1"])
        assert (450, 450) == (len(found), len((await ledger.kept_about([], found))["threads"]))


class TestTelling:
    async def test_every_table_that_holds_something_of_theirs_is_in_it(self, ledger: Ledger) -> None:
        await conversation(ledger)
        await receipted(ledger)
        kept = await ledger.kept_about(["cus_1"], [THREAD])
        empty = {name for name, rows in kept.items() if not rows}
        assert {"refund_outcomes", "stripe_events", "erasures"} == empty
        told = canonical(kept).decode()
        assert [] == [words for words in PERSONAL if words not in told]
        assert "receipt.issued" in {entry["event"] for entry in kept["audit"]}

    async def test_nothing_of_anybody_else_is_in_it(self, ledger: Ledger) -> None:
        await conversation(ledger)
        await bring_to(ledger, "succeeded", id="theirs", customer="cus_10", thread=THREAD)
        await bring_to(ledger, "succeeded", id="action-10")
        kept = await ledger.kept_about(["cus_1"], [THREAD])
        assert ["action-10"] == [action["id"] for action in kept["actions"]]
        only_action_1 = await ledger.kept_about([], [])
        assert [] == [name for name, rows in only_action_1.items() if rows]


class TestErasing:
    async def test_words_and_details_are_gone_and_sums_days_and_ids_stay(self, ledger: Ledger) -> None:
        await conversation(ledger)
        case = await receipted(ledger)
        counts = await ledger.erase_thread(THREAD, actor="cli:ana", customers=["cus_1"])
        assert {"messages": 1, "runs": 1, "identities": 1, "tickets": 1, "feedback": 1, "actions": 1} == counts
        told = await everything(ledger)
        assert [] == [words for words in PERSONAL if words in told]
        action: Any = await ledger.action(case.action.id)
        assert replace(case.action, details=action.details, evidence=action.evidence) == action
        assert {
            "changes": {"name": ERASED, "email": ERASED},
            "before": {"email": ERASED},
            "last4": ERASED,
            "memo": ERASED,
            "invoice_number": "ACME-0001",
            "schedule": [{"due": "2026-12-01", "amount": 4900}],
            "evidence_ids": ["ch_1"],
        } == action.details
        assert ERASED == (await ledger.approvals(action.id))[0].reason
        assert None is await ledger.thread(THREAD)

    async def test_receipt_and_audit_log_still_verify(self, ledger: Ledger) -> None:
        await conversation(ledger)
        case = await receipted(ledger)
        await ledger.erase_thread(THREAD, actor="cli:ana")
        kept: Any = await ledger.receipt(case.receipt.number)
        assert (case.receipt.digest, ERASED) == (kept.digest, kept.body["approved_by"][0]["reason"])
        assert set() == await failing(ledger, kept)
        assert set() == await failing(ledger, case.receipt), "the file that the customer kept is genuine, too"
        await ledger.verify_audit()

    async def test_one_of_a_release_before_verifies_by_what_was_logged_when_it_was_erased(self, ledger: Ledger) -> None:
        await conversation(ledger)
        case = await receipted(ledger)
        number, digest = case.receipt.number, case.receipt.digest
        old = await ledger.audit("receipt.issued", number=number, action=case.action.id, digest=digest)
        await drop_guards(ledger, "receipts")
        await behind_its_back(ledger, "UPDATE receipts SET audited = :audited", audited=old.sequence)
        await ledger.erase_thread(THREAD, actor="cli:ana")
        kept: Any = await ledger.receipt(number)
        assert set() == await failing(ledger, kept)

    @pytest.mark.parametrize("forge", [{"amount": 490000}, {"customer": "cus_2"}, {"stripe_id": "re_2"}])
    async def test_what_is_left_cannot_be_forged_under_cover_of_an_erasure(
        self, ledger: Ledger, forge: dict[str, Any]
    ) -> None:
        await conversation(ledger)
        case = await receipted(ledger)
        await ledger.erase_thread(THREAD, actor="cli:ana")
        left = receipt_without_details(case.receipt.body) | forge
        async with ledger._database.write() as connection:
            await connection.execute(update(receipts).values(body=left))
        kept: Any = await ledger.receipt(case.receipt.number)
        assert {"digest", "audit log"} <= await failing(ledger, kept)

    async def test_an_erasure_that_never_was_covers_no_other_receipt(self, ledger: Ledger) -> None:
        """By somebody with the keys and the database, who adds to the audit log and rewrites nothing of it."""
        case = await receipted(ledger)
        forged = receipt_without_details(case.receipt.body) | {"amount": 490000}
        said = {"action": case.action.id, "digest": case.action.digest, "left": case.action.digest}
        entry = await ledger.audit("action.erased", **said, receipt_left=sha256_of(forged))
        async with ledger._database.write() as connection:
            await connection.execute(redactions.insert().values(action=case.action.id, audited=entry.sequence))
            await connection.execute(update(receipts).values(body=forged))
        await ledger.verify_audit()
        assert not await ledger.verify_receipt(case.receipt.number)

    async def test_twice_is_once(self, ledger: Ledger) -> None:
        await conversation(ledger)
        await receipted(ledger)
        await ledger.erase_thread(THREAD, actor="cli:ana")
        entries = await ledger.verify_audit()
        assert {0} == set((await ledger.erase_thread(THREAD, actor="cli:ana")).values())
        assert entries == await ledger.verify_audit()

    async def test_it_is_in_the_audit_log_by_ids_alone(self, ledger: Ledger) -> None:
        await conversation(ledger)
        await receipted(ledger)
        before = await ledger.verify_audit()
        await ledger.erase_thread(THREAD, actor="cli:ana")
        entries = await ledger.audit_entries(after=before)
        assert ["action.erased", "privacy.erased"] == [entry.event for entry in entries]
        assert (THREAD, "cli:ana") == (entries[1].data["thread"], entries[1].data["actor"])
        said = canonical([entry.data for entry in entries]).decode()
        assert [] == [words for words in PERSONAL if words in said]

    async def test_of_somebody_else_in_the_same_conversation_the_record_is_left_alone(self, ledger: Ledger) -> None:
        await conversation(ledger)
        other = await bring_to(ledger, "void", id="theirs", customer="cus_2", thread=THREAD, details=DETAILS)
        await ledger.erase_thread(THREAD, actor="cli:ana", customers=["cus_1"])
        assert other == await ledger.action(other.id)
        await ledger.erase_thread(THREAD, actor="retention")
        assert other != await ledger.action(other.id)

    @pytest.mark.parametrize("state", [*sorted(LIVE), "succeeded"])
    async def test_not_while_something_is_under_way(self, ledger: Ledger, state: ActionState) -> None:
        await conversation(ledger)
        action = await bring_to(ledger, state, details=DETAILS)
        with pytest.raises(UnderWay):
            await ledger.erase_thread(THREAD, actor="cli:ana")
        assert ([action.id], action) == (
            [one.id for one in await ledger.standing_in_the_way([THREAD])],
            await ledger.action(action.id),
        )
        assert PHRASE in await everything(ledger)

    async def test_not_while_instalments_are_to_come(self, ledger: Ledger) -> None:
        await conversation(ledger)
        case = await receipted(ledger)
        promise = await ledger.promise(THREAD, "instalment_2", "second", ledger._now(), action=case.action.id)
        with pytest.raises(UnderWay):
            await ledger.erase_thread(THREAD, actor="cli:ana")
        await ledger.keep_promise(promise.id)
        assert await ledger.erase_thread(THREAD, actor="cli:ana")

    @pytest.mark.parametrize("state", [one for one in get_args(ActionState) if one not in {*LIVE, "succeeded"}])
    async def test_whatever_has_come_to_nothing_is_in_nobodys_way(self, ledger: Ledger, state: ActionState) -> None:
        await conversation(ledger)
        await bring_to(ledger, state, details=DETAILS)
        await ledger.erase_thread(THREAD, actor="cli:ana")
        action: Any = await ledger.action("action-1")
        assert ("void" if state == "proposed" else state, ERASED) == (action.state, action.details["memo"])

    async def test_what_is_owed_is_looked_after_and_an_answer_is_not(self, ledger: Ledger) -> None:
        await conversation(ledger)
        case = await receipted(ledger)
        owed = await ledger.promise(THREAD, "refund_arrives", "money back", ledger._now(), action=case.action.id)
        await ledger.erase_thread(THREAD, actor="cli:ana")
        assert [("answer_by", False), ("refund_arrives", True)] == sorted(
            (one.kind, one.open) for one in await ledger.promises(thread=THREAD)
        )
        assert owed.id in {one.id for one in await ledger.due_promises(ledger._now())}

    async def test_nothing_begins_there_again(self, ledger: Ledger) -> None:
        """Somebody who had it in hand goes on: their writes fail, and nothing of them stays."""
        await conversation(ledger)
        await ledger.erase_thread(THREAD, actor="cli:ana")
        attempts: list[Callable[[], Any]] = [
            lambda: ledger.create_thread(THREAD, "anon_jo", {}),
            lambda: ledger.propose_action(an_action()),
            lambda: ledger.record_message(THREAD, "m-2", "assistant", "Acme", PHRASE),
            lambda: ledger.create_run("run-2", THREAD, "support", {"text": PHRASE}),
            lambda: ledger.open_ticket(THREAD, "late", {"transcript": [PHRASE]}),
            lambda: ledger.record_feedback(THREAD, 1, PHRASE),
            lambda: ledger.bind_identity(THREAD, level=1, email=EMAIL, customer="cus_1", ttl_seconds=60),
        ]
        for attempt in attempts:
            with pytest.raises((NotFound, Conflict)):
                await attempt()
        assert PHRASE not in await everything(ledger)


class TestTheDatabaseItself:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE actions SET amount = 1",
            "UPDATE actions SET details = '{}'",
            "UPDATE action_events SET actor = 'another'",
            "UPDATE approvals SET agent = 'another'",
            "UPDATE approvals SET reason = 'another'",
            "UPDATE receipts SET digest = 'x'",
            "UPDATE receipts SET body = '{}'",
            "UPDATE redactions SET audited = 1",
            "UPDATE erasures SET actor = 'another'",
            "DELETE FROM redactions",
            "DELETE FROM erasures",
            "DELETE FROM receipts",
        ],
    )
    async def test_an_erasure_opens_nothing_up(self, ledger: Ledger, statement: str) -> None:
        await conversation(ledger)
        await receipted(ledger)
        await ledger.erase_thread(THREAD, actor="cli:ana")
        with pytest.raises(Conflict) as refused:
            await behind_its_back(ledger, statement)
        assert "append-only" in str(refused.value.__cause__)

    async def test_a_redaction_needs_an_audit_entry_that_bears_it_out(self, ledger: Ledger) -> None:
        case = await receipted(ledger)
        entry = await ledger.audit("something.else")
        await behind_its_back(
            ledger,
            "INSERT INTO redactions (action, audited) VALUES (:action, :audited)",
            action=case.action.id,
            audited=entry.sequence,
        )
        await behind_its_back(ledger, "UPDATE approvals SET reason = 'erased:1'")
        assert {"approvals"} == await failing(ledger, case.receipt)


class TestKeepingForSoLong:
    async def test_idle_conversations_come_in_pages_and_the_others_do_not(self, ledger: Ledger, clock: Clock) -> None:
        for name in ("a", "b", "c"):
            await ledger.create_thread(name, "owner", {})
        await bring_to(ledger, "void", thread="deleted", created=clock.now, updated=clock.now)
        then = clock.forward(days=10)
        await ledger.set_thread("b", status="idle")
        assert ["a", "c"] == await ledger.idle_threads(then, limit=2)
        assert ["deleted"] == await ledger.idle_threads(then, after="c")
        assert [] == await ledger.idle_threads(then - timedelta(days=11))

    async def test_a_deleted_one_is_done_with_when_its_actions_have_no_details_left(
        self, ledger: Ledger, clock: Clock
    ) -> None:
        await bring_to(ledger, "void", thread="deleted", created=clock.now, updated=clock.now)
        then = clock.forward(days=10)
        await ledger.erase_thread("deleted", actor="retention")
        assert [] == await ledger.idle_threads(then)

    async def test_events_of_stripe_are_forgotten_when_they_are_done_with(self, ledger: Ledger, clock: Clock) -> None:
        for name, quarantined in (("evt_waits", None), ("evt_done", None), ("evt_odd", "another mode")):
            await ledger.record_stripe_event(
                name,
                type_="refund.failed",
                created=clock.now,
                kind="refund",
                object_="re_1",
                quarantined=quarantined,
            )
        await ledger.settle_stripe_event("evt_done", "processed")
        assert 0 == await ledger.forget_stripe_events(clock.now)
        assert 2 == await ledger.forget_stripe_events(clock.forward(days=90))
        assert await ledger.stripe_event("evt_waits")


async def test_nothing_of_what_was_erased_stays_in_the_file_of_sqlite(tmp_path: Path) -> None:
    """Not even sealed, in pages that nobody uses any more."""
    file = tmp_path / "ledger.db"
    async with Ledger.open(f"sqlite:///{file}", keys=KEYS) as ledger:
        await conversation(ledger)
        async with ledger._database.read() as connection:
            sealed = (await connection.exec_driver_sql("SELECT text FROM messages")).scalar_one()
    assert sealed.encode() in file.read_bytes()
    async with Ledger.open(f"sqlite:///{file}", keys=KEYS) as ledger:
        await ledger.erase_thread(THREAD, actor="cli:ana")
    assert sealed.encode() not in file.read_bytes()


def test_what_will_be_left_of_a_receipt_is_settled_for_good() -> None:
    """Its digest is in the audit log of everybody's past: other rules would make their erased receipts look forged."""
    body = {
        "kind": "refund", "amount": 4900, "reason": "duplicate", "target": "ch_1", "action_digest": "d",
        "evidence": {"stripe": {"charge": "ch_1", "refunded": 0, "email": EMAIL, "disputes": []}, "terms": DETAILS},
        "approved_by": [{"agent": "sam", "role": "agent", "verdict": "approve", "reason": PHRASE, "at": "2026"}],
        "steps": [
            {"state": "confirmed", "actor": "customer", "at": "2026", "reason": ""},
            {"state": "failed", "actor": "code", "at": "2026", "reason": "no answer from Stripe"},
        ],
    }  # fmt: skip
    left = receipt_without_details(body)
    assert "no answer from Stripe" == left["steps"][1]["reason"]
    assert "711f4f6d4836021b564cf00973adbcdd1eeefb8a47b7eb391748fb5702e9123c" == sha256_of(left)
