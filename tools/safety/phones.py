"""Telephone numbers, as people of many countries write them."""

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers

_HOME = ("US", "GB", "DE", "ES", "FR", "CH", "AT", "IT", "NL", "MX", "IN", "SG")
"""Countries whose numbers are known without their country code, where they are spaced like one or called one."""
_BLANK = r"[ \u200b\u00a0./()\n-]"
_RUN = re.compile(rf"(?<![\w.,:;/=&%#-])(?:\+{_BLANK}{{0,2}}|\()?\d(?:{_BLANK}{{0,3}}\d){{6,16}}(?![\w%]|[.,:/-]\d)")
_CUE = re.compile(
    r"(?i)(?<!\w)(?:phone|telephone|tel|cell|mobile|call|reach|ring|text|sms|whatsapp|fax|telefon\w*|handy\w*|mobil\w*|rufnummer|"
    r"ruf\w*|anruf\w*|tel[ée]fono|m[óo]vil|celular|ll[áa]m\w*|t[ée]l[ée]phone|portable|appel\w*|num[ée]ro|n[úu]mero|number|"
    r"nummer)(?:\W+\w+){0,3}?\W{0,4}$"
)
_SPACED = re.compile(r"\d[ ()./\u200b-]+\d")
_DATE = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}")
_NO_NUMBER = re.compile(r"(?i)(?:isbn|order|invoice|ticket|colis|tracking|vat|rechnung|factura|facture)\W*(?:\w+\W+)?$")


def find_phones(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, digits) of every telephone number in folded text: a valid one, or anything behind a plus."""
    for match in _RUN.finditer(text):
        written = match.group()
        digits = re.sub(r"\D", "", written)
        before = text[max(0, match.start() - 40) : match.start()]
        if _DATE.match(written) or _NO_NUMBER.search(before):
            continue
        if written.startswith("+") or _is_phone(written, before, digits):
            yield match.start(), match.end(), digits


def _is_phone(written: str, before: str, digits: str) -> bool:
    if digits.startswith("00"):
        return _is_valid(f"+{digits[2:]}", None)
    called, spaced = bool(_CUE.search(before)), bool(_SPACED.search(written))
    leads = digits.startswith("0") or len(digits) == 10
    return (called or (spaced and leads)) and any(_is_valid(digits, region) for region in _HOME)


@lru_cache(maxsize=4096)
def _is_valid(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
