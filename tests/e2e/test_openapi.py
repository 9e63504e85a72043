"""Requests made from our own OpenAPI document, good and bad, by a customer and by a supervisor, for names that are
made up and for names that exist: nothing breaks, and every answer is one of those that are documented.

`FUZZ_EXAMPLES` says how many requests each operation gets for each caller, kind of data and kind of name.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.chaos.figures import Say
from tests.e2e.world import Customer, Staff, World, running, warm

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2"))
SEED = int(os.environ.get("FUZZ_SEED", "5"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ENDLESS = {"/threads/{thread_id}/stream", "/threads/{thread_id}/stream/events"}
"""Goes on after everything that there was: its first bytes are read."""
MADE_UP: dict[str, str] = {}
UNREACHED = {
    "POST /actions/{action_id}/link",  # no action of hers has one
    "POST /actions/{action_id}/withdrawal",  # hers is done
    "POST /desk/actions/{action_id}/decision",  # and waits for no one
    "POST /desk/threads/{thread_id}/proposals",
    "POST /threads/{thread_id}/copy",  # it is known who she is
    "POST /threads/{thread_id}/runs/{run_id}/cancel",  # nor is a run of hers going on
    "POST /threads/{thread_id}/state",  # refused to everybody
    "POST /webhooks/stripe",  # only Stripe can sign
}
"""What random data does not bring to success; tests/server does."""

Operation = APIOperation[Any, Any, Any]


@dataclass
class Fuzzed:
    """A server, somebody's names in it, and the document to ask it by."""

    url: str
    operations: list[Operation]
    bearers: dict[str, str]
    names: dict[str, str]
    statuses: Counter[int] = field(default_factory=Counter)
    succeeded: set[str] = field(default_factory=set)

    def names_for(self, operation: Operation) -> dict[str, str]:
        """What is deleted is a conversation of its own: the others are needed."""
        if operation.method != "delete":
            return self.names
        headers = {"Authorization": self.bearers["customer"]}
        thread = requests.post(f"{self.url}/threads", json={}, headers=headers, timeout=10).json()
        return {**self.names, "thread_id": thread["thread_id"]}

    def ask(self, case: Case) -> None:
        """Raises what the checks find."""
        response = self._answer(case)
        self.statuses[response.status_code] += 1
        if response.status_code < 400:
            self.succeeded.add(case.operation.label)
        case.validate_response(response, checks=CHECKS[:2] if case.operation.path in ENDLESS else CHECKS)

    def _answer(self, case: Case) -> Response:
        while True:
            sent = case.as_transport_kwargs(base_url=self.url)
            with requests.request(**sent, timeout=60, stream=True) as answer:
                if answer.status_code == 429:
                    time.sleep(int(answer.headers["Retry-After"]))
                    continue
                if case.operation.path in ENDLESS and answer.ok:
                    next(answer.iter_content(64))
                    answer._content = b""
                return Response.from_requests(answer, verify=True)


@pytest.fixture(scope="module")
def fuzzed(shared_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    with running(warm(shared_world.home, tmp_path_factory.mktemp("fuzzed") / "home"), STREAM_SECONDS="10") as world:
        schema = schemathesis.openapi.from_url(f"{world.url}/openapi.json")
        operations = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
        bearers, names = life_of_ada(world)
        yield Fuzzed(world.url, operations, bearers, names)
        assert world.process is not None
        assert world.process.poll() is None


def life_of_ada(world: World) -> tuple[dict[str, str], dict[str, str]]:
    """Headers of her and of a supervisor; what she has one of: a conversation, a refund, its receipt, a ticket."""
    ada, staff = Customer(world), Staff(world)
    ada.says("i was charged twice this month")
    ada.signs_in("ada@example.com")
    ada.says("yes please")
    ada.http.post("/escalate", json={"thread_id": ada.thread, "reason": "I want to know more"}).raise_for_status()
    [run, *_] = ada.http.get(f"/threads/{ada.thread}/runs").raise_for_status().json()
    state = ada.http.get(f"/threads/{ada.thread}/state").raise_for_status().json()
    [action] = [one for one in staff.get("/desk/actions", state="succeeded") if one["thread_id"] == ada.thread]
    number = staff.get(f"/desk/actions/{action['id']}")["receipt"]["number"]
    end = time.monotonic() + 10
    while not (tickets := staff.get("/desk/tickets")) and time.monotonic() < end:
        time.sleep(0.1)
    names = {
        "thread_id": str(ada.thread),
        "run_id": run["run_id"],
        "checkpoint_id": state["checkpoint_id"],
        "action_id": action["id"],
        "number": number,
        "ticket_id": tickets[0]["id"],
        "assistant": "support",
        "assistant_id": "support",
        "digest": action["digest"],
    }
    bearers = {
        "customer": ada.http.headers["Authorization"],
        "supervisor": staff.http.headers["Authorization"],
    }
    return bearers, names


def test_every_answer_is_documented_and_none_is_an_error_of_ours(fuzzed: Fuzzed, say: Say) -> None:
    failures = [
        failure
        for caller, mode in product(fuzzed.bearers, GenerationMode)
        for failure in surprises(fuzzed, caller, mode, say)
    ]
    if failures:
        pytest.fail("\n\n".join(failures), pytrace=False)
    assert UNREACHED == {one.label for one in fuzzed.operations} - fuzzed.succeeded


def surprises(fuzzed: Fuzzed, caller: str, mode: GenerationMode, say: Say) -> list[str]:
    fuzzed.statuses.clear()
    failures = []
    for operation in fuzzed.operations:
        for names in (MADE_UP, fuzzed.names_for(operation)):
            try:
                requested(fuzzed, operation, caller, mode, names)
            except (Exception, BaseExceptionGroup) as failure:  # noqa: BLE001 - each is shown, and fails the test
                failures.append(f"{operation.label} {'real' if names else 'made up'}: {details(failure)}")
    counted = ", ".join(f"{count} x {status}" for status, count in sorted(fuzzed.statuses.items()))
    say(f"openapi, {mode.value} data, {caller}: {counted}; {len(failures)} not as documented")
    return failures


def details(failure: BaseException) -> str:
    """Without the notes of Hypothesis, which print the whole operation."""
    inner = getattr(failure, "exceptions", ())
    return "\n".join(f"{type(one).__name__}: {one}" for one in (failure, *inner))


def requested(fuzzed: Fuzzed, operation: Operation, caller: str, mode: GenerationMode, names: dict[str, str]) -> None:
    if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
        return
    known: dict[str, Any] = {"headers": {"Authorization": fuzzed.bearers[caller]}}
    if operation.path_parameters and (names or mode is GenerationMode.NEGATIVE):
        # A string in a path is always a string: there is no bad data for it.
        known["path_parameters"] = {one.name: names.get(one.name, str(uuid4())) for one in operation.path_parameters}

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, **known))
    def ask(case: Case) -> None:
        if isinstance(case.body, dict):
            case.body.update({name: names[name] for name in case.body.keys() & names.keys()})
        fuzzed.ask(case)

    ask()
