"""Traces, where somebody turns them on: without secrets, addresses and telephone numbers, or not written at all."""

from typing import Any

import langsmith
from langsmith import Client
from langsmith.utils import tracing_is_enabled

from tools.safety.dropped import DROPPED
from tools.safety.redact import redact_deep

_TEXTS = frozenset({"name", "inputs", "outputs", "error", "events", "extra", "tags", "serialized", "metadata"})


class MaskedClient(Client):
    """LangSmith's client with every text of a run redacted first, whichever way it goes out from there.

    Its own `anonymizer` sees inputs and outputs alone; errors, events, tags and metadata would pass it by.
    """

    def create_run(self, name: str, inputs: dict[str, Any], run_type: Any, **more: Any) -> None:
        if (texts := _redacted({"name": name, "inputs": inputs, **more})) is not None:
            super().create_run(run_type=run_type, **texts)

    def update_run(self, run_id: Any, **more: Any) -> None:
        if (texts := _redacted(more)) is not None:
            super().update_run(run_id, **texts)


def _redacted(run: dict[str, Any]) -> dict[str, Any] | None:
    """None when it could not be done: the run is dropped, and counted. Attachments cannot be read, so they go."""
    try:
        texts = {name: redact_deep(value) if name in _TEXTS else value for name, value in run.items()}
    except Exception:  # noqa: BLE001 - whatever it was, the text is not known to be clean
        DROPPED["trace"] += 1
        return None
    return {name: value for name, value in texts.items() if name != "attachments"}


def mask_traces() -> None:
    """From here on every run of this process that is traced goes through `MaskedClient`."""
    if tracing_is_enabled():
        langsmith.configure(client=MaskedClient())
