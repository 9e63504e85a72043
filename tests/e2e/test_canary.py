"""Secrets planted in every door of a whole server are in no place that keeps, sends or tells anything."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from langgraph_sdk import get_sync_client

from tests.e2e.canaries import (
    CARD,
    EMAIL,
    HALVES,
    KEY,
    PERSONAL,
    PHONE,
    TEXT,
    WITNESS,
    found_in,
    in_files,
    in_redis,
)
from tests.e2e.test_with_a_model import READS, everything_about, requests_to
from tests.e2e.world import Customer, Staff, World, warm
from tests.fixtures.redis import bundled_binary, free_port, running_server
from tests.fixtures.traces import TraceService, trace_service


@dataclass
class Aviary:
    """A server with everything turned on, after the canaries were let loose in it."""

    world: World
    redis_url: str
    traces: TraceService
    answers: list[httpx.Response] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    read: str = ""
    metrics: str = ""
    mails: str = ""
    model: str = ""

    @property
    def log(self) -> bytes:
        return b"".join(content for name, content in in_files(self.world.home) if name.endswith(".log"))


@pytest.fixture(scope="module")
def aviary(shared_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aviary]:
    folder = tmp_path_factory.mktemp("aviary")
    (folder / "redis").mkdir()
    world = World(home=warm(shared_world.home, folder / "home"), stripe_port=free_port())
    with running_server(bundled_binary(), folder / "redis") as url, trace_service() as traces:
        world.environment |= {
            "REDIS_URL": url,
            "OPENAI_BASE_URL": f"http://127.0.0.1:{world.stripe_port}/openai/v1",
            **traces.environment,
        }
        world.start()
        try:
            aviary = Aviary(world, url, traces)
            world.sandbox.post("model", reads={**READS, WITNESS: ["policy_question"]})
            let_loose(aviary)
            look_around(aviary)
            # What was to be written later is written when it stops.
            assert world.stop() in {0, 130}
            yield aviary
        finally:
            if world.process is not None and world.process.poll() is None:
                world.stop()
            for client in world.clients:
                client.close()


def let_loose(aviary: Aviary) -> None:
    ana = Staff(aviary.world, "Ana", "supervisor")
    in_messages(aviary)
    in_halves(aviary)
    at_the_desk(aviary, ana)
    in_decisions(aviary, ana)
    in_requests(aviary, ana)


def in_messages(aviary: Aviary) -> None:
    customer = known(aviary, Customer(aviary.world))
    customer.says(TEXT)
    customer.says(f"what is your refund policy? {TEXT}, write to {EMAIL} or call {PHONE}")
    customer.says("i was charged twice this month")
    sdk = get_sync_client(url=aviary.world.url, headers=dict(customer.http.headers))
    thread = sdk.threads.create(metadata={"name": TEXT, CARD: "as a name"})["thread_id"]
    sdk.threads.update(thread, metadata={"note": TEXT})
    said: dict[str, Any] = {"messages": [{"role": "user", "content": [{"type": "text", "text": TEXT}]}]}
    sdk.runs.wait(thread, "support", input=said, metadata={"note": TEXT})
    list(sdk.runs.stream(thread, "support", input=said, stream_mode=["values", "messages", "updates", "custom"]))
    sdk.threads.search(metadata={"note": TEXT})
    sdk.close()
    keep(aviary, customer.http.post("/feedback", json={"thread_id": thread, "rating": 4, "comment": TEXT}), 201)


def in_halves(aviary: Aviary) -> None:
    customer = known(aviary, Customer(aviary.world))
    for half in HALVES:
        customer.says(half)
    other = known(aviary, Customer(aviary.world))
    other.says(f"my card number is {HALVES[0]}")
    body = {"thread_id": other.thread, "reason": f"the rest is {HALVES[1]}"}
    keep(aviary, other.http.post("/escalate", json=body), 202)


def at_the_desk(aviary: Aviary, ana: Staff) -> None:
    customer = known(aviary, Customer(aviary.world))
    customer.says("hi")
    body = {"thread_id": customer.thread, "reason": TEXT}
    asked = keep(aviary, customer.http.post("/escalate", json=body), 202).json()
    customer.http.get(f"/threads/{customer.thread}/runs/{asked['run_id']}/join")
    customer.says(TEXT)
    resumed = {"assistant_id": "support", "command": {"resume": TEXT}}
    keep(aviary, customer.http.post(f"/threads/{customer.thread}/runs/wait", json=resumed), 200)
    [ticket] = [one for one in ana.get("/desk/tickets") if one["thread_id"] == customer.thread]
    ana.post(f"/desk/tickets/{ticket['id']}/claim").raise_for_status()
    said = keep(aviary, ana.post(f"/desk/tickets/{ticket['id']}/messages", text=TEXT), 202).json()
    customer.http.get(f"/threads/{customer.thread}/runs/{said['run_id']}/join")
    keep(aviary, ana.http.get(f"/desk/tickets/{ticket['id']}"), 200)
    keep(aviary, ana.post(f"/desk/tickets/{ticket['id']}/return", note=TEXT), 202)
    customer.hears("Ana")


def in_decisions(aviary: Aviary, ana: Staff) -> None:
    customer = known(aviary, Customer(aviary.world))
    customer.says("i'd like a refund for the annual plan i bought last week")
    customer.signs_in("grace@example.com")
    customer.says("yes")
    [action] = [
        one for one in ana.get("/desk/actions", state="awaiting_approval") if one["thread_id"] == customer.thread
    ]
    decision = {"digest": action["digest"], "approve": False, "reason": TEXT}
    keep(aviary, ana.post(f"/desk/actions/{action['id']}/decision", **decision), 200)
    keep(aviary, ana.http.get(f"/desk/actions/{action['id']}"), 200)
    alan = known(aviary, Customer(aviary.world))
    alan.says("show me my last invoices")
    alan.signs_in("alan@example.com")
    stripe = aviary.world.sandbox.stripe()
    bound = stripe.v1.customers.list({"email": "alan@example.com"}).data[0]
    charge = stripe.v1.charges.list({"customer": bound.id}).data[0]
    wanted = {"kind": "refund", "target": charge.id, "amount": 500, "ground": "goodwill"}
    words = {"reason": TEXT, "memo": f"{WITNESS} {CARD} {KEY}"}
    keep(aviary, ana.post(f"/desk/threads/{alan.thread}/proposals", **wanted, **words), 201)
    keep(aviary, ana.post("/desk/switches/automatic", on=True, reason=TEXT), 200)


def in_requests(aviary: Aviary, ana: Staff) -> None:
    """Where nothing is expected to be read, and everything may be logged or said back."""
    customer = known(aviary, Customer(aviary.world))
    customer.says("hi")
    http, thread = customer.http, f"/threads/{customer.thread}"
    run = http.get(f"{thread}/runs").json()[0]["run_id"]
    keep(aviary, http.get(f"/{WITNESS}/{CARD}/{EMAIL}/{KEY}"), 404)
    keep(aviary, http.get(f"/threads/{CARD}"), 404)
    keep(aviary, http.get(f"{thread}/runs", params={"status": TEXT, CARD: EMAIL}), 422)
    keep(aviary, http.get(f"{thread}/runs/{run}", params={"q": TEXT}), 200)
    keep(aviary, ana.http.get("/desk/tickets", params={"state": TEXT}), 422)
    keep(aviary, http.get(f"{thread}/runs/{run}/stream", headers={"Last-Event-ID": CARD}), 422)
    named = {"X-Request-ID": CARD.replace(" ", ""), "User-Agent": TEXT, "Referer": f"https://example.com/?pan={CARD}"}
    keep(aviary, http.get(f"/{WITNESS}-headers", headers=named), 404)
    keep(aviary, http.get(f"{thread}/state", headers={"Authorization": f"Bearer {KEY}"}), 401)
    keep(aviary, http.post("/chat", content=f'{{"message": "{TEXT}'), 400)
    keep(aviary, http.post("/chat", json={"message": "hi", TEXT: TEXT}), 422)
    keep(aviary, http.post("/chat", json={"message": "hi", "thread_id": CARD}), 422)
    keep(aviary, http.post(f"{thread}/runs", json={"assistant_id": CARD, "input": {"messages": TEXT}}), 422)
    odd = {"assistant_id": "support", "input": {"messages": [{"role": "user", "content": "hi", "id": CARD}]}}
    keep(aviary, http.post(f"{thread}/runs", json=odd), 422)
    keep(aviary, http.post("/sessions", json={"identity_token": TEXT}), 401)
    keep(aviary, http.post("/webhooks/stripe", json={"id": TEXT}, headers={"Stripe-Signature": CARD}), 400, 422)
    keep(aviary, http.request("PROPFIND", f"/{WITNESS}-method"), 404, 405)


def look_around(aviary: Aviary) -> None:
    world = aviary.world
    aviary.read = "\n".join(everything_about(customer) for customer in aviary.customers)
    supervisor = world.anybody.post("/demo/staff", json={"name": "Sue"}).json()["token"]
    aviary.metrics = world.anybody.get("/metrics", headers={"Authorization": f"Bearer {supervisor}"}).text
    addresses = ("grace@example.com", "alan@example.com", EMAIL)
    aviary.mails = json.dumps([world.inbox(address) for address in addresses], ensure_ascii=False)
    aviary.model = json.dumps(requests_to(world.sandbox), ensure_ascii=False)


def known(aviary: Aviary, customer: Customer) -> Customer:
    aviary.customers.append(customer)
    return customer


def keep(aviary: Aviary, answer: httpx.Response, *statuses: int) -> httpx.Response:
    assert answer.status_code in statuses, f"{answer.request.url}: {answer.status_code} {answer.text}"
    aviary.answers.append(answer)
    return answer


def test_redis_holds_none_of_it(aviary: Aviary) -> None:
    places = dict(in_redis(aviary.redis_url))
    assert len(places) > 20
    assert [] == found_in(iter(places.items()))


def test_no_file_holds_any_of_it(aviary: Aviary) -> None:
    """The ledger and its write-ahead log, Chroma's folder, and the logs, after the server has stopped."""
    names = [name for name, _ in in_files(aviary.world.home)]
    assert {True} == {any(part in name for name in names) for part in ("ledger.db", "chroma", ".log")}
    assert [] == found_in(in_files(aviary.world.home))


def test_nobody_can_read_any_of_it_back(aviary: Aviary) -> None:
    """Not the customer, in lines, state, history and events; not the desk; and no refusal says it back."""
    answers = "\n".join(f"{answer.headers} {answer.text}" for answer in aviary.answers)
    assert WITNESS in aviary.read
    assert WITNESS in answers
    assert [] == found_in(iter([("conversations", aviary.read.encode()), ("answers", answers.encode())]))


def test_the_model_was_told_none_of_it(aviary: Aviary) -> None:
    assert WITNESS in aviary.model
    assert [] == found_in(iter([("model", aviary.model.encode())]))


def test_mails_and_metrics_hold_none_of_it(aviary: Aviary) -> None:
    assert "counterfoil_http_requests_total" in aviary.metrics
    assert 'method="other"' in aviary.metrics
    assert "subject" in aviary.mails
    assert [] == found_in(iter([("metrics", aviary.metrics.encode()), ("mails", aviary.mails.encode())]))


def test_traces_hold_neither_secrets_nor_addresses(aviary: Aviary) -> None:
    sent = "\n".join(aviary.traces.received)
    assert WITNESS in sent
    assert "screen_input" in sent
    everything = iter([("traces", sent.encode())])
    assert [] == found_in(everything, (*PERSONAL, "grace@example.com", CARD, CARD.replace(" ", "")))
    assert [] == found_in(iter([("traces", sent.encode())]))


def test_logs_hold_no_addresses_either(aviary: Aviary) -> None:
    assert WITNESS.encode() in aviary.log
    assert [] == found_in(iter([("log", aviary.log)]), (*PERSONAL, "grace@example.com"))


def test_half_a_card_leaves_no_digits(aviary: Aviary) -> None:
    assert aviary.read.count("[card digits]") >= 4


def test_this_search_sees_what_is_there(aviary: Aviary, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "some.db-wal").write_bytes(b"\x00\x01" + CARD.encode() + b"\xff" + KEY.encode("utf-16-le"))
    assert {f"deep/some.db-wal: {CARD}", f"deep/some.db-wal: {KEY}"} == set(found_in(in_files(tmp_path)))
    values: dict[str, Any] = {"string": KEY, "hash": {"a": KEY}, "list": KEY, "stream": {"data": KEY}, "set": KEY}
    with redis.Redis.from_url(aviary.redis_url) as client:
        writers = {"string": client.set, "list": client.rpush, "stream": client.xadd, "set": client.sadd}
        for kind, value in values.items():
            client.hset("finch:hash", mapping=value) if kind == "hash" else writers[kind](f"finch:{kind}", value)
        client.zadd("finch:zset", {KEY: 1})
        found = {place for place in found_in(in_redis(aviary.redis_url), (KEY,)) if "finch" in place or "disk" in place}
        client.delete(*(f"finch:{kind}" for kind in (*values, "zset")))
    assert 7 == len(found)
