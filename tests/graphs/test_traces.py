"""A trace that somebody turned on holds nothing that must not be kept."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast

import langsmith
import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langsmith import run_trees
from langsmith.utils import get_env_var

from graphs import traces
from graphs.traces import MaskedClient, mask_traces
from tools.safety.dropped import DROPPED

CARD = "4242 4242 4242 4242"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a tracing service on this machine received."""
    received: list[str] = []

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8", "replace"))
            self._answer()

        do_PATCH = do_POST  # noqa: N815 - as http.server names them

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None: ...

    service = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    Thread(target=service.serve_forever, daemon=True).start()
    settings = {
        "TRACING": "true", "API_KEY": "not-a-real-one", "ENDPOINT": f"http://127.0.0.1:{service.server_port}",
        "DISABLE_RUN_COMPRESSION": "true",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(f"LANGSMITH_{name}", value)
    forget_environment()
    yield received
    langsmith.configure(client=None)
    monkeypatch.undo()
    forget_environment()
    service.shutdown()
    service.server_close()


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
