"""Findings that code draws from a billing picture. Pure: no clock, no network."""

from tools.billing.changes import explain_change
from tools.billing.duplicates import find_duplicates
from tools.billing.plans import instalments

__all__ = ["explain_change", "find_duplicates", "instalments"]
