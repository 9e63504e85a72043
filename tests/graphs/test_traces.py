"""A trace that somebody turned on holds nothing that must not be kept."""

import json
from collections.abc import Iterator
from typing import Any, cast

import langsmith
import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langsmith import run_trees
from langsmith.utils import get_env_var

from graphs import traces
from graphs.traces import MaskedClient, mask_traces
from tests.fixtures.traces import trace_service
from tools.safety.dropped import DROPPED

CARD = "4242 4242 4242 4242"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    with trace_service() as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        forget_environment()
        yield service.received
        if client := run_trees._CLIENT:
            client.close()
        langsmith.configure(client=None)
        monkeypatch.undo()
        forget_environment()


def forget_environment() -> None:
    cast("Any", get_env_var).cache_clear()


def fails(_: Any) -> None:
    raise ValueError(f"declined {CARD} of jo@example.com")


def traced(client: langsmith.Client | None) -> None:
    step = RunnableLambda(lambda state: state).with_config({"metadata": {"note": CARD}, "tags": [CARD]})
    step.invoke({"messages": [HumanMessage(f"my card is {CARD}, mail ada@example.com, phone +44 20 7946 0123")]})
    with pytest.raises(ValueError, match="declined"):
        RunnableLambda(fails).invoke({})
    assert client is not None
    client.flush()


def test_inputs_errors_metadata_and_tags_are_redacted_before_they_leave(sent: list[str]) -> None:
    mask_traces()
    assert isinstance(run_trees.get_cached_client(), MaskedClient)
    traced(run_trees.get_cached_client())
    everything = "\n".join(sent)
    assert "[card ••••4242]" in everything or "[card \\u2022" in everything
    assert "ValueError" in everything
    assert [] == [secret for secret in (CARD, "ada@example.com", "jo@example.com", "7946") if secret in everything]


def test_this_test_would_see_what_leaks(sent: list[str]) -> None:
    client = langsmith.Client()
    langsmith.configure(client=client)
    traced(client)
    assert CARD in "\n".join(sent)


def test_a_run_that_cannot_be_redacted_is_dropped_and_counted(sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(traces, "redact_deep", broken)
    before = DROPPED["trace"]
    mask_traces()
    traced(run_trees.get_cached_client())
    assert CARD not in json.dumps(sent)
    assert DROPPED["trace"] > before


def test_with_tracing_off_no_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_trees, "_CLIENT", None)
    mask_traces()
    assert run_trees._CLIENT is None
