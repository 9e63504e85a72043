"""What was said of a wish, as the conversation keeps it until the wish is served."""

from typing import Any

from nodes.state import SupportState

OF_CHARGES = (
    "amount",
    "currency",
    "amounts",
    "bare",
    "invoice_number",
    "last4",
    "instalments",
    "ordinal",
    "day",
    "month",
)
OF_WISHES = ("months", "days", "until", "seats", "more_seats", "interval", "company", "fields", "tax_id")
"""What only a wish, or the answer to what it lacks, can set: elsewhere such words mean something else."""
LACKED = {
    "pause_subscription": frozenset({"months"}),
    "change_billing_details": frozenset({"email", "company", "tax_id"}),
}
"""What the answer to a question for a detail is known by, whatever else the words could mean."""


def wished(state: SupportState, said: list[str]) -> dict[str, Any]:
    """Of the wishes `said` in this message: nothing of an older one counts for them."""
    return {"said": state["turn"]["text"], **values(state, said), **details_of(state)}


def answered(state: SupportState, goal: str) -> dict[str, Any]:
    """What is known of a wish, with the answer to what it lacked."""
    kept = {name: value for name, value in (state.get("details") or {}).items() if name != "answer"}
    fields = {"fields": kept["fields"]} if kept.get("fields") else {}
    return {**kept, **details_of(state), **values(state, [goal]), **fields, "answer": state["turn"]["text"]}


def details_of(state: SupportState) -> dict[str, Any]:
    """Which charge or invoice, and in how many parts."""
    return _given(state, OF_CHARGES)


def values(state: SupportState, goals: list[str]) -> dict[str, Any]:
    """What the wish is to be. An address is a new one only where it is not given to say who somebody is."""
    found = _given(state, OF_WISHES)
    if "change_billing_details" in goals and (new := _new_address(state)):
        found["email"] = new
    return found


def _new_address(state: SupportState) -> str | None:
    slots, first = state["turn"].get("slots", {}), [intent for intent, _ in state["turn"].get("readings", [])[:1]]
    is_wish = "email" in (slots.get("fields") or ()) and first != ["give_email"]
    return slots.get("email") if is_wish or state.get("asked") == "detail" else None


def choice(state: SupportState, most: int) -> dict[str, Any]:
    """What was said of a list to choose from: a lone small number is a place in it, not an amount."""
    said = details_of(state)
    number = str(said.get("bare") or "").removesuffix(".00")
    return {"ordinal": int(number)} if number.isdigit() and 1 <= int(number) <= most else said


def _given(state: SupportState, names: tuple[str, ...]) -> dict[str, Any]:
    slots = state["turn"].get("slots", {})
    return {name: slots[name] for name in names if slots.get(name) not in (None, (), [])}
