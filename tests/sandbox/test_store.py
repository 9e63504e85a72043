"""What the sandbox keeps: over restarts and kills in a file, between tests in memory."""

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.mail import Inbox
from sandbox.seed import SEEDS
from sandbox.stripe.app import create_app
from sandbox.stripe.resource import Route
from sandbox.stripe.resources import REGISTRY, new_world, refunds
from sandbox.stripe.store import Store
from sandbox.stripe.tracked import TrackedDict, TrackedList, plain, tracked
from sandbox.stripe.world import World
from tests.fixtures.sandbox import NO_TLS, Sandbox
from tests.sandbox.conftest import Api
from tests.sandbox.test_fuzz import Monkey
from tests.sandbox.test_process import KEY, emails, running

FILE = "sandbox.db"


def post(url: str, path: str, key: str | None = None, **form: Any) -> httpx.Response:
    headers = KEY | ({"Idempotency-Key": key} if key else {})
    return httpx.post(f"{url}/v1/{path}", data=form, headers=headers, verify=NO_TLS)


def test_what_happened_is_there_after_a_restart(tmp_path: Path) -> None:
    with running("--state", str(tmp_path), "--seed", "none") as (process, where):
        first = post(where["stripe"], "customers", key="k1", email="kept@example.com")
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(timeout=10)
    with running("--state", str(tmp_path)) as (_, where):
        assert {"kept@example.com"} == emails(where["stripe"])
        again = post(where["stripe"], "customers", key="k1", email="kept@example.com")
        assert (first.json(), "true") == (again.json(), again.headers["idempotent-replayed"])


def test_a_kill_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    known: set[str] = set()
    for round_ in range(3):
        with running("--state", str(tmp_path), "--seed", "none") as (process, where):
            assert known == emails(where["stripe"])
            for number in range(5):
                email = f"{round_}-{number}@example.com"
                assert 200 == post(where["stripe"], "customers", key=email, email=email).status_code
                known.add(email)
            process.kill()
            process.wait(timeout=10)
    with running("--state", str(tmp_path)) as (_, where):
        assert known == emails(where["stripe"])
        replayed = post(where["stripe"], "customers", key="2-4@example.com", email="2-4@example.com")
        assert "true" == replayed.headers["idempotent-replayed"]
        assert known == emails(where["stripe"])


def test_a_state_that_cannot_be_read_is_one_clear_line_and_stays(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text("{broken" * 1000)
    refused(tmp_path, said=str(file))
    assert "{broken" * 1000 == file.read_text()


def test_a_state_of_another_format_is_refused(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / FILE)
    database.execute("PRAGMA user_version=99")
    database.close()
    refused(tmp_path, said="format 99")


def test_a_state_in_use_is_refused(tmp_path: Path) -> None:
    with running("--state", str(tmp_path), "--seed", "none") as (_, where):
        refused(tmp_path, said="locked")
        assert set() == emails(where["stripe"])


def refused(folder: Path, said: str) -> None:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--smtp-port", "0", "--state", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (2, 1) == (ended.returncode, len(ended.stderr.splitlines()))
    assert said in ended.stderr


def test_a_json_state_of_earlier_is_taken_over_once(tmp_path: Path) -> None:
    world = planted()
    objects = {kind: plain(shelf) for kind, shelf in world.objects.items()}
    old = {"counter": world.counter, "offset": 60, "objects": objects, "answers": {}}
    mails = {"ada@example.com": [{"to": "ada@example.com", "subject": "s", "text": "t", "at": 1}]}
    file = tmp_path / "sandbox.json"
    file.write_text(json.dumps({"world": old, "inbox": mails}))
    for _ in range(2):
        taken, inbox = World(), Inbox()
        store = Store(tmp_path, taken, inbox)
        assert store.open()
        store.close()
        assert objects == taken.objects
        assert (world.counter, 60, mails) == (taken.counter, taken.clock.offset, inbox.mails)
        assert not file.exists()


def test_a_broken_json_state_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "sandbox.json").write_text("{broken")
    refused(tmp_path, said="sandbox.json")
    assert ["sandbox.json"] == [each.name for each in tmp_path.iterdir()]


def planted() -> World:
    world = new_world()
    SEEDS["demo"](world)
    world.commit()
    world.forget_changes()
    return world


def kept(folder: Path) -> World:
    """What the file says, read by a store of its own."""
    world = World()
    store = Store(folder, world, Inbox())
    store.open()
    store.close()
    return world


def test_one_refund_writes_a_handful_of_rows(tmp_path: Path) -> None:
    world = new_world()
    store = Store(tmp_path, world, Inbox())
    store.open()
    SEEDS["demo"](world)
    world.commit()
    written: list[str] = []
    store._database.set_trace_callback(written.append)
    charge = next(each for each in world.all("charge") if not each["amount_refunded"])
    refunds.refund(world, charge, 100)
    world.commit()
    store._database.set_trace_callback(None)
    changed = [line for line in written if "INTO things" in line]
    # The refund, its balance transaction, the charge, two events.
    assert 5 == len(changed)
    store.close()
    assert contents(world) == contents(kept(tmp_path))


def test_mails_are_kept_and_forgotten(tmp_path: Path) -> None:
    inbox = Inbox()
    store = Store(tmp_path, World(), inbox)
    store.open()
    inbox.deliver("a@example.com", "old", "text")
    inbox.clear()
    inbox.deliver("a@example.com", "new", "text")
    inbox.deliver("a@example.com", "newer", "text")
    store.close()
    again = Inbox()
    store = Store(tmp_path, World(), again)
    store.open()
    store.close()
    assert ["new", "newer"] == [mail["subject"] for mail in again.of("a@example.com")]


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_done_the_file_knows_it_and_the_snapshot_undoes_it(tmp_path: Path, seed: int) -> None:
    """Hundreds of random requests: nothing that they change escapes the world's notice."""
    world = new_world()
    store = Store(tmp_path, world, Inbox())
    store.open()
    SEEDS["demo"](world)
    world.remember("start")
    before, order, counter = contents(world), orders(world), world.counter
    await ride(world, seed, 250)
    assert before != contents(world)
    world.go_back("start")
    assert (before, order, counter) == (contents(world), orders(world), world.counter)
    await ride(world, seed + 10, 50)
    world.clear()
    world.go_back("start")
    assert (before, order) == (contents(world), orders(world))
    await ride(world, seed, 100)
    store.close()
    read = kept(tmp_path)
    assert contents(world) == contents(read)
    for kind, ids in orders(world).items():
        assert (kind, ids) == (kind, orders(read)[kind])
    assert world.answers.keys() == read.answers.keys()


def contents(world: World) -> dict[str, Any]:
    return {kind: plain(shelf) for kind, shelf in world.objects.items() if shelf}


def orders(world: World) -> dict[str, list[str]]:
    return {kind: [each["id"] for each in world.all(kind)] for kind in contents(world)}


async def ride(world: World, seed: int, requests: int) -> None:
    monkey = Monkey(world, seed)
    app: Any = create_app(world, Inbox(), SEEDS)
    headers = {"Authorization": "Bearer sk_test_monkey"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as http:
        for number in range(requests):
            route: Route = monkey.random.choice(REGISTRY.routes())
            body: Any = {"data" if route.method == "POST" else "params": monkey.form(route)}
            key = {"Idempotency-Key": f"{seed}-{number}"} if number % 3 == 0 else {}
            await http.request(route.method, monkey.address(route), headers=key, **body)


MUTATIONS = [
    lambda thing: thing.update(a=1),
    lambda thing: thing.__ior__({"a": 1}),
    lambda thing: thing.pop("deep"),
    lambda thing: thing.popitem(),
    lambda thing: thing.clear(),
    lambda thing: thing.setdefault("new", {}),
    lambda thing: thing.__delitem__("deep"),
    lambda thing: thing["deep"][0].__setitem__("x", 2),
    lambda thing: thing["deep"].append({}),
    lambda thing: thing["deep"].extend([1]),
    lambda thing: thing["deep"].__iadd__([1]),
    lambda thing: thing["deep"].__imul__(2),
    lambda thing: thing["deep"].insert(0, 1),
    lambda thing: thing["deep"].pop(),
    lambda thing: thing["deep"].remove({"x": 1}),
    lambda thing: thing["deep"].clear(),
    lambda thing: thing["deep"].reverse(),
    lambda thing: thing["deep"].sort(key=str),
    lambda thing: thing["deep"].__setitem__(0, {}),
    lambda thing: thing["deep"].__setitem__(slice(0, 1), [{}]),
    lambda thing: thing["deep"].__delitem__(0),
]


@pytest.mark.parametrize("change", MUTATIONS)
def test_every_way_to_change_an_object_is_told_before(change: Any) -> None:
    seen: list[Any] = []
    told = tracked({"deep": [{"x": 1}]}, lambda: seen.append(plain(told)))
    change(told)
    assert {"deep": [{"x": 1}]} == seen[0]
    deep = told.get("deep")
    assert deep is None or isinstance(deep, TrackedList)
    assert all(isinstance(each, TrackedDict) for each in deep or () if isinstance(each, dict))


def test_no_way_to_change_an_object_was_forgotten() -> None:
    """What `dict` and `list` can do, minus what only reads."""
    reads = {"get", "items", "keys", "values", "copy", "fromkeys", "count", "index"}
    for base, ours in ((dict, TrackedDict), (list, TrackedList)):
        public = {name for name in vars(base) if not name.startswith("_")} - reads
        in_place = {"__setitem__", "__delitem__"} | {
            name for name in vars(base) if name.startswith("__i") and name in {"__ior__", "__iadd__", "__imul__"}
        }
        assert set() == (public | in_place) - vars(ours).keys()


def test_a_snapshot_is_gone_back_to_with_all_that_was_there(api: Api, sandbox: Sandbox) -> None:
    sandbox.fault(method="POST", path="/v1/products", status=503, count=2)
    api.post("customers", key="k1", email="before@example.com")
    sandbox.post("snapshot", name="here")
    made = api.payment()
    api.post("products", name="x")
    api.post("customers", key="k2", email="after@example.com")
    sandbox.advance(100)
    moment = sandbox.post("clock", advance=0)["now"]
    sandbox.post("restore", name="here")
    assert moment - 90 > sandbox.post("clock", advance=0)["now"]
    assert 404 == api.get(f"payment_intents/{made['id']}").status_code
    assert [] == api.read("customers", email="after@example.com")["data"]
    assert "true" == api.post("customers", key="k1", email="before@example.com").headers["idempotent-replayed"]
    assert "idempotent-replayed" not in api.post("customers", key="k2").headers
    assert [503, 503, 200] == [api.post("products", name="x").status_code for _ in range(3)]


def test_a_rehearsal_undoes_what_it_changed_and_nothing_that_was_changed_before() -> None:
    world = planted()
    world.remember("start")
    customer = world.all("customer")[0]
    start = dict(customer)
    customer["name"] = "Of the request"
    with world.rehearsal():
        customer["name"] = "Of the rehearsal"
        world.add("customer", "cus", name="Nobody")
    # The object that was held all the time is the one that the world has.
    assert customer is world.all("customer")[0]
    assert "Of the request" == customer["name"]
    assert [("customer", start["id"])] == list(world.changed)
    world.go_back("start")
    assert start == world.get("customer", start["id"])


def test_a_snapshot_can_be_used_again_and_again(api: Api, sandbox: Sandbox) -> None:
    ada = api.customer("ada@example.com")
    sandbox.post("snapshot", name="here")
    for name in ("One", "Two"):
        api.make(f"customers/{ada['id']}", name=name)
        sandbox.post("restore", name="here")
        assert ada == api.read(f"customers/{ada['id']}")


def test_snapshots_that_cannot_be_are_refused(sandbox: Sandbox) -> None:
    statuses = [
        sandbox.http.post(f"/_sandbox/{action}", json=body).status_code
        for action, body in (("restore", {"name": "nowhere"}), ("restore", {}), ("snapshot", {"name": 3}))
    ]
    assert [404, 400, 400] == statuses
