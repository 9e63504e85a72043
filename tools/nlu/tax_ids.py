"""VAT ids of the EU's countries, of Britain and of Switzerland, by their formats alone: Stripe asks who holds them."""

import re
from functools import cache

_SEPARATOR = r"[ .\-]?"
_CLASSES = {"9": "[0-9]", "A": "[A-Za-z]", "X": "[0-9A-Za-z]"}
"""Of what follows the country's letters: 9 is a digit, A a letter, X either; all else stands for itself."""
_EU = (
    "ATU99999999", "BE9999999999", "BG9999999999", "BG999999999", "CY99999999A", "CZ9999999999", "CZ999999999",
    "CZ99999999", "DE999999999", "DK99999999", "EE999999999", "EL999999999", "ESX9999999X", "FI99999999",
    "FRXX999999999", "HR99999999999", "HU99999999", "IE9X99999AA", "IE9X99999A", "IT99999999999", "LT999999999999",
    "LT999999999", "LU99999999", "LV99999999999", "MT99999999", "NL999999999B99", "PL9999999999", "PT999999999",
    "RO9999999999", "RO999999999", "RO99999999", "SE999999999999", "SI99999999", "SK9999999999",
)  # fmt: skip
"""Longer formats of a country first. Greece writes EL: https://ec.europa.eu/taxation_customs/vies/"""
_BRITISH = ("GB999999999999", "GB999999999")
_SWISS = re.compile(r"(?i)\bCHE[ -]?(\d{3})[ .]?(\d{3})[ .]?(\d{3})(?:\s*(MWST|TVA|IVA))?\b")


def find_tax_id(text: str) -> tuple[str, str] | None:
    """(Stripe's type, the number as Stripe wants it written)."""
    for kind, formats in (("eu_vat", _EU), ("gb_vat", _BRITISH)):
        for written in formats:
            if match := _shape(written).search(text):
                return kind, re.sub(r"[ .\-]", "", match.group()).upper()
    if match := _SWISS.search(text):
        return "ch_vat", f"CHE-{match[1]}.{match[2]}.{match[3]} {(match[4] or 'MWST').upper()}"
    return None


@cache
def _shape(written: str) -> re.Pattern[str]:
    rest = [_CLASSES.get(character, re.escape(character)) for character in written[2:]]
    return re.compile(rf"(?<![\w-]){written[:2]}{_SEPARATOR}{_SEPARATOR.join(rest)}(?![\w-])")
