"""How much is found and how much is taken for something it is not, on texts of our own in four languages."""

import pytest

from tests.tools.safety import figures
from tests.tools.safety.summary import Measured


def test_every_card_is_found_and_no_look_alike_is_taken_for_one(measured: Measured) -> None:
    found = measured(figures.cards())
    assert found.positives >= 5_000
    assert found.look_alikes >= 5_000
    assert [] == found.missed
    assert [] == found.touched


def test_every_iban_is_found_and_few_mistyped_ones_are_taken_for_a_card(measured: Measured) -> None:
    found = measured(figures.ibans())
    assert min(found.positives, found.look_alikes) >= 5_000
    assert [] == found.missed
    assert found.false_positives <= 0.005


def test_telephone_numbers_are_found_for_logs_and_traces(measured: Measured) -> None:
    found = measured(figures.phones())
    assert min(found.positives, found.look_alikes) >= 5_000
    assert found.recall >= 0.999
    assert found.false_positives <= 0.005


def test_addresses_are_found_for_logs_and_traces(measured: Measured) -> None:
    found = measured(figures.emails())
    assert [] == found.missed
    assert [] == found.touched


@pytest.mark.parametrize("kind", ["cvv", "expiry", "code", "key", "password"])
def test_what_is_named_by_its_cue_is_found(kind: str, measured: Measured) -> None:
    found = measured(figures.named(kind))
    assert found.recall >= 0.99
    assert found.false_positives <= 0.005


def test_of_a_card_in_pieces_no_more_than_may_be_shown_is_readable(measured: Measured) -> None:
    found = measured(figures.split_cards())
    assert found.recall >= 0.995
    assert found.false_positives <= 0.05
