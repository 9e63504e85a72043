"""Who of the ledger's actors is a person of the desk. What they write is free text, and stays out of the audit log."""

NO_PEOPLE = frozenset({"customer", "assistant", "code", "policy", "stripe", "reconciliation"})


def is_person(actor: str) -> bool:
    return actor not in NO_PEOPLE and not actor.startswith("plan ")
