"""Unicode folded to what a pattern can read, so that ４, ٤ and ④ are all a 4."""

import re
import unicodedata
from functools import lru_cache

ZERO_WIDTH = "\u200b"
"""What every invisible format character folds to."""

# Letters of other scripts that are drawn like Latin ones, and only those.
_LOOK_ALIKES = str.maketrans(
    "авеікмнорсѕтухһјԁԛԝɡАВЕІКМНОРСЅТУХЈαεικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧıӏ",
    "abeikmhopcstyxhjdqwgABEIKMHOPCSTYXJaeiknoptuxABEZHIKMNOPTYXil",
)
_LATIN = re.compile(r"[A-Za-z]")
_STACKED = re.compile("[\u0300-\u036f]+")
_WORD = re.compile(r"\w+")


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    match unicodedata.category(character):
        case "Zs":
            return " "
        case "Pd":
            return "-"
        case "Cf":
            return ZERO_WIDTH
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 else character


def fold(text: str) -> str:
    """The same text, character for character: a match's offsets hold in the original."""
    return text if text.isascii() else "".join(map(_fold_character, text))


def _latinise(word: re.Match[str]) -> str:
    letters = word.group()
    swapped = letters.translate(_LOOK_ALIKES)
    # A word that stays partly Cyrillic or Greek was written in that script, not disguised in it.
    return swapped if _LATIN.search(letters) or swapped.isascii() else letters


def simplify(text: str) -> str:
    """For reading only: no invisible characters, no disguised letters, one space between words."""
    plain = unicodedata.normalize("NFKC", text)
    plain = _STACKED.sub("", "".join(c for c in plain if unicodedata.category(c) != "Cf"))
    return re.sub(r"[^\S\n]+", " ", _WORD.sub(_latinise, fold(plain))).strip()
