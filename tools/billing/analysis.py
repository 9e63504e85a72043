"""Findings that code draws from a billing picture. Pure: no clock, no network."""

from tools.billing.changes import explain_change, is_change, pair_to_compare
from tools.billing.charge_facts import ChargeExplanation, ChargeState, Occasion, explain_charge
from tools.billing.duplicates import ExplainedPair, explain_pairs, find_duplicates, overpaid
from tools.billing.likeness import Because
from tools.billing.plans import instalments
from tools.billing.refunding import allocate, tax_part
from tools.billing.sold import name_of

__all__ = [
    "Because",
    "ChargeExplanation",
    "ChargeState",
    "ExplainedPair",
    "Occasion",
    "allocate",
    "explain_change",
    "explain_charge",
    "explain_pairs",
    "find_duplicates",
    "instalments",
    "is_change",
    "name_of",
    "overpaid",
    "pair_to_compare",
    "tax_part",
]
