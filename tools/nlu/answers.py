"""A plain yes or a plain no: the only words that count as consent to a proposal, and those that refuse it.

Closed lists, and the whole message must be made of them. Whatever else it holds (an amount, a condition, a
question, a word we do not know) makes it no answer, because asking again costs less than a wrong yes.
"""

import unicodedata
from pathlib import Path
from typing import Literal

from tools.safety.patterns import load

Answer = Literal["yes", "no"]

_WORDS = load(Path(__file__).with_name("answers.yaml"))
_LONGEST = 120
_APOSTROPHES = "’‘ʼ`´"
_EMOJI = {
    " yes ": "✅✔☑",
    " ok ": "👍👌🆗",
    " no ": "👎❌✖🚫🙅⛔🛑",
    " thanks ": "🙏💐",
    " ": "🙂😊😀😃😄😁☺😉🤝🎉🥳😎❤💙💚💛🧡💜🥰😍🤗",
    # Skin tones, sexes and the joiners between them change no answer.
    "": "🏻🏼🏽🏾🏿\ufe0f♂♀",
    "'": _APOSTROPHES,
}
_AS_WORDS = str.maketrans({character: word for word, characters in _EMOJI.items() for character in characters})


def _words(text: str) -> str:
    """Lower case, one space between words and a comma between clauses; emoji are told as words."""
    told = text.translate(_AS_WORDS).replace(" no \u200d", " no ")
    # "ok..." trails off: that is no plain answer
    unfinished = "..." in told or "…" in told
    plain = unicodedata.normalize("NFKC", told).casefold()
    plain = _WORDS["emoticon"].sub(" ", plain)
    clauses = _WORDS["stop"].sub(", ", plain).strip(" ,")
    return "…" if unfinished else _WORDS["space"].sub(" ", clauses).strip()


def _is_yes(words: str) -> bool:
    if not _WORDS["all_yes"].fullmatch(words):
        return False
    return bool(_WORDS["strong"].search(words) or (_WORDS["soft"].search(words) and not _WORDS["thanks"].search(words)))


def plain_answer(text: str) -> Answer | None:
    """`yes` or `no` when the whole message is plainly that, else None. Knows English, German, Spanish and French."""
    if len(text) > _LONGEST:
        return None
    words = _words(text)
    if _is_yes(words):
        return "yes"
    return "no" if _WORDS["all_no"].fullmatch(words) and _WORDS["refused"].search(words) else None
