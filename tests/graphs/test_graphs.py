"""What both graphs promise to whoever loads them."""

from typing import Any

import pytest
from langgraph.graph import StateGraph
from pydantic import TypeAdapter

from graphs import action, support
from nodes import context
from nodes.context import CaseContext, Context
from tools.errors import ConfigurationError

BUILDERS: dict[str, StateGraph[Any, Any, Any, Any]] = {"support": support.builder, "action": action.builder}


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_every_schema_can_be_shown(name: str) -> None:
    """Studio draws forms from them; a `typing.TypedDict` on Python 3.11 once made this a 500."""
    graph = BUILDERS[name].compile()

    assert "properties" in graph.get_input_jsonschema()
    assert "properties" in graph.get_output_jsonschema()
    assert {} == (graph.get_context_jsonschema() or {})["properties"]


def test_a_customer_can_see_messages_stage_and_ticket_and_nothing_else() -> None:
    assert {"messages", "stage", "ticket"} == set(support.builder.compile().get_output_jsonschema()["properties"])


def test_reading_billing_and_retrieving_policy_run_side_by_side() -> None:
    assert {"fetch_billing", "retrieve_policy"} <= _targets(support.builder, "plan_turn")


@pytest.mark.parametrize("kind", [Context, CaseContext])
def test_a_context_built_from_nothing_says_how_to_start(kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "_plugged", {})

    with pytest.raises(ConfigurationError, match="make studio"):
        kind()


def test_no_client_can_set_anything_of_a_context() -> None:
    schema = TypeAdapter(Context).json_schema()

    assert {} == schema["properties"]


def test_only_two_steps_of_a_case_can_move_money() -> None:
    """The conversation's context has no such power at all."""
    assert not hasattr(Context, "mover")
    assert "mover" not in Context.__dataclass_fields__
    assert "mover" in CaseContext.__dataclass_fields__


def _targets(builder: StateGraph[Any, Any, Any, Any], source: str) -> set[str]:
    return {edge.target for edge in builder.compile().get_graph().edges if edge.source == source}
