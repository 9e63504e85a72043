"""What is found among hundreds of customers whose errors are known, and what is not proposed."""

import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.fixtures.sandbox import Sandbox
from tests.tools.billing.happenings import CREDITED, KINDS
from tests.tools.billing.histories import History, history
from tools.billing.analysis import explain_pairs, find_duplicates
from tools.billing.stripe_billing import StripeBilling

CUSTOMERS = 600
SEED = 20261123


@pytest.fixture(scope="module")
def histories() -> tuple[History, ...]:
    """Every fourth customer has credit of what was overpaid."""
    return tuple(history(n, CREDITED if n % 4 == 0 else KINDS, SEED) for n in range(CUSTOMERS))


def test_every_true_duplicate_is_found_and_nothing_else_is_proposed(histories: tuple[History, ...]) -> None:
    events, twice, found, falsely = (Counter[tuple[str, str]]() for _ in range(4))
    for known in histories:
        proposed = {pair.later.id for pair in find_duplicates(known.picture)}
        for event in known.planted:
            kind = (str(event.verdict), event.kind)
            events[kind] += 1
            twice[kind] += len(event.twice)
            found[kind] += len(event.twice & proposed)
            falsely[kind] += len((event.charges - event.twice) & proposed)

    sys.stdout.write(f"\n{'':<10}{'kind':<42}{'events':>7}{'twice':>7}{'found':>7}{'falsely':>9}\n")
    for row in sorted(events):
        figures = (events[row], twice[row], found[row], falsely[row])
        sys.stdout.write(f"{row[0]:<10}{row[1]:<42}{figures[0]:>7}{figures[1]:>7}{figures[2]:>7}{figures[3]:>9}\n")
    sys.stdout.write(f"{'':<52}{events.total():>7}{twice.total():>7}{found.total():>7}{falsely.total():>9}\n")
    assert twice == found
    assert 0 == falsely.total()
    assert min(events.values()) >= 20


def test_the_kept_charge_is_the_earlier_and_of_the_same_event(histories: tuple[History, ...]) -> None:
    for known in histories:
        of = {charge: event for event in known.planted for charge in event.charges}
        for pair in find_duplicates(known.picture):
            assert pair.earlier.created <= pair.later.created
            assert of[pair.earlier.id] is of[pair.later.id]
            assert pair.earlier.id not in of[pair.earlier.id].twice


DROPS_OFF = "authorisation"
EXPECTED = {
    "seats as subscriptions": {"other_subscription"},
    "two seats in one go": {"other_subscription"},
    "one form sent twice": {"other_subscription"},
    "two plans of one price": {"other_subscription"},
    "one subscription of daily periods": {"other_period"},
    "seat added for the price of the plan": {"proration"},
    "paid after declines": {"failed"},
    "authorisation left behind": {DROPS_OFF},
    "captured in part": {DROPS_OFF},
    "two orders of one thing": {"other_order"},
    "two things of one price": {"other_purpose"},
    "double click put right": {"refunded"},
    "double click at the bank": {"disputed"},
    "one figure in two currencies": {"other_currency"},
    "bought again the same day": {"apart"},
    "one order on two cards": {"other_card"},
    "invoice out of sight": {"unseen_invoice"},
}


def test_look_alikes_are_explained_by_what_happened(histories: tuple[History, ...]) -> None:
    told: dict[str, set[str]] = {}
    for kind, because, _certain in explanations(histories):
        told.setdefault(kind, set()).add(because)

    assert EXPECTED == {kind: told.get(kind) for kind in EXPECTED}


def test_what_nobody_can_tell_is_never_called_certain(histories: tuple[History, ...]) -> None:
    doubtful = {kind for kind, (verdict, _) in KINDS.items() if verdict == "doubtful"} | {"two seats in one go"}

    # Weeks lie between the instalments: no look-alikes.
    doubtful -= {"last instalment too large"}

    called_certain = {kind for kind, _, certain in explanations(histories) if certain}
    left_open = {kind for kind, _, certain in explanations(histories) if not certain}
    assert set() == called_certain & doubtful
    assert doubtful == left_open & doubtful


def explanations(histories: tuple[History, ...]) -> Iterator[tuple[str, str, bool]]:
    """Of pairs whose two charges belong to one event."""
    for known in histories:
        of = {charge: event.kind for event in known.planted for charge in event.charges}
        for pair in explain_pairs(known.picture):
            if of[pair.earlier.id] == of[pair.later.id]:
                yield of[pair.later.id], pair.because, pair.certain


def test_the_order_of_what_was_read_does_not_matter(histories: tuple[History, ...]) -> None:
    rng = random.Random(SEED)  # noqa: S311 - a seeded shuffle
    for known in histories[:200]:
        charges, invoices = list(known.picture.charges), list(known.picture.invoices)
        rng.shuffle(charges)
        rng.shuffle(invoices)
        shuffled = replace(known.picture, charges=tuple(charges), invoices=tuple(invoices))

        assert find_duplicates(known.picture) == find_duplicates(shuffled)
        assert explain_pairs(known.picture) == explain_pairs(shuffled)


TRULY_CHARGED_TWICE = {"ada@example.com"}
"""Whoever seeds another customer with a duplicate adds them here, having looked."""


async def test_in_the_seed_only_those_known_to_be_charged_twice_are_proposed(
    billing: StripeBilling, sandbox: Sandbox
) -> None:
    everybody = list(sandbox.stripe().v1.customers.list({"limit": 100}).auto_paging_iter())
    pictures = {person.email: await billing.picture(person.id) for person in everybody}

    found = {email: find_duplicates(picture) for email, picture in pictures.items()}
    pairs = sum(len(explain_pairs(picture)) for picture in pictures.values())
    charges = sum(len(picture.charges) for picture in pictures.values())
    proposed = {email: len(twice) for email, twice in found.items() if twice}
    sys.stdout.write(
        f"\nseed: {len(everybody)} customers, {charges} charges, {pairs} look-alikes explained, proposed: {proposed}\n"
    )
    assert dict.fromkeys(TRULY_CHARGED_TWICE, 1) == proposed
    assert len(everybody) > 12
