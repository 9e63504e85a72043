"""Money as it is written in English, German, Spanish and French, with symbols, codes or words."""

import re
from dataclasses import dataclass

from tools.money import exponent

_DOLLARS = ("usd", "cad", "aud", "nzd", "sgd", "hkd", "mxn")
_DINARS = ("kwd", "bhd", "jod", "tnd")
_MARKS: dict[str, tuple[str, ...]] = {
    "$": _DOLLARS, "€": ("eur",), "£": ("gbp",), "¥": ("jpy", "cny"), "₹": ("inr",), "₩": ("krw",), "₪": ("ils",),
    "US$": ("usd",), "$US": ("usd",), "$ US": ("usd",), "CA$": ("cad",), "C$": ("cad",), "$CA": ("cad",),
    "$ CA": ("cad",), "A$": ("aud",), "AU$": ("aud",), "$AU": ("aud",), "$ AU": ("aud",), "NZ$": ("nzd",),
    "S$": ("sgd",), "HK$": ("hkd",), "MX$": ("mxn",), "R$": ("brl",), "JP¥": ("jpy",), "CN¥": ("cny",),
    "£GB": ("gbp",), "zł": ("pln",), "Kč": ("czk",), "kr": ("sek", "nok", "dkk"), "Fr.": ("chf",),
}  # fmt: skip
_ISO_CODES = (
    "usd eur gbp jpy chf cad aud nzd sgd hkd sek nok dkk pln czk huf ron bgn brl mxn inr krw cny twd thb myr idr "
    "php vnd zar ils aed sar try ars clp cop pen kwd bhd omr jod tnd isk ugx uah"
)
# `try 5 times` and `pen 3` are words; these codes are not, so they count in lower case too.
_UNMISTAKABLE = "usd eur gbp jpy chf cad aud nzd sek nok dkk pln brl mxn inr"
_WORDS: dict[str, tuple[str, ...]] = {
    "dollar": _DOLLARS, "dollars": _DOLLARS, "bucks": _DOLLARS, "dólar": _DOLLARS, "dólares": _DOLLARS,
    "us dollars": ("usd",), "us-dollar": ("usd",), "euro": ("eur",), "euros": ("eur",), "pound": ("gbp",),
    "pounds": ("gbp",), "quid": ("gbp",), "pfund": ("gbp",), "libras": ("gbp",), "livres": ("gbp",),
    "yen": ("jpy",), "franken": ("chf",), "francs": ("chf",), "francos": ("chf",), "pesos": ("mxn",),
    "rupees": ("inr",), "reais": ("brl",), "dinar": _DINARS, "dinars": _DINARS, "dirham": ("aed",), "dirhams": ("aed",),
    "kronor": ("sek",), "kroner": ("nok", "dkk"), "cents": ("usd", "eur"), "cent": ("usd", "eur"),
    "céntimos": ("eur",), "centimes": ("eur",),
}  # fmt: skip
_MINOR_WORDS = frozenset({"cents", "cent", "céntimos", "centimes"})

_SYMBOL = "|".join(re.escape(mark) for mark in sorted(_MARKS, key=len, reverse=True))
_CODE = "|".join([*_ISO_CODES.upper().split(), *_UNMISTAKABLE.split()])
_WORD = "|".join(re.escape(word) for word in sorted(_WORDS, key=len, reverse=True))
NUMBER = r"\d{1,3}(?:[.,’' \u00a0\u202f\u2009]\d{3})+(?!\d)(?:[.,]\d{1,3})?(?!\d)|\d+(?:[.,]\d{1,3})?(?!\d)"
_GAP = r"[ \u00a0\u202f\u2009]?"
_AMOUNT = re.compile(
    rf"(?:(?<![\w$])(?P<before>{_SYMBOL}|{_CODE}){_GAP}[-−]?{_GAP})?"
    rf"(?(before)|(?<![\w.,]))(?P<number>{NUMBER})(?P<kilo>k\b)?"
    rf"(?:{_GAP}-?(?P<after>(?:{_SYMBOL}|{_CODE})(?!\w)|(?i:{_WORD})(?!\w)))?"
)


@dataclass(frozen=True, kw_only=True)
class Written:
    """An amount in a text. `readings` is every (minor units, currency) it may mean, likeliest first."""

    start: int
    end: int
    text: str
    readings: tuple[tuple[int, str], ...]


def minor_units(number: str, digits: int) -> int | None:
    """`1.234,5` with two decimals is 123450; None when it has more decimals than the currency."""
    plain = re.sub(r"[’' \u00a0\u202f\u2009]", "", number)
    whole, point, decimals = _split_decimals(plain, digits)
    if point and decimals[digits:].strip("0"):
        return None
    return int(whole + decimals[:digits].ljust(digits, "0"))


def _split_decimals(number: str, digits: int) -> tuple[str, str, str]:
    last = max(number.rfind("."), number.rfind(","))
    if last < 0:
        return number, "", ""
    mark, tail = number[last], number[last + 1 :]
    other = "," if mark == "." else "."
    groups = number.count(mark) > 1 or (other not in number and len(tail) == 3 and digits != 3)
    if groups:
        return number.replace(mark, "").replace(other, ""), "", ""
    return number[:last].replace(other, ""), mark, tail


def _readings(match: re.Match[str]) -> tuple[tuple[int, str], ...]:
    mark = match["before"] or match["after"]
    word = mark.lower()
    currencies = _MARKS.get(mark) or _WORDS.get(word) or (word,)
    factor = 1000 if match["kilo"] else 1
    found = []
    for currency in currencies:
        digits = 0 if word in _MINOR_WORDS else exponent(currency)
        units = minor_units(match["number"], digits)
        if units is not None:
            found.append((units * factor, currency))
    return tuple(found)


def find_amounts(text: str) -> tuple[Written, ...]:
    """Every number with a currency beside it, in order."""
    return tuple(
        Written(start=match.start(), end=match.end(), text=match.group(), readings=_readings(match))
        for match in _AMOUNT.finditer(text)
        if match["before"] or match["after"]
    )
