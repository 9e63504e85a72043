"""Cuts a stream of text into sentences as it comes. Nothing is lost: the sentences joined are the text.

Where a sentence ends depends on the next word, so an end is only called when that word is there. The same text gives
the same sentences however it was chunked.
"""

import re
from collections.abc import AsyncIterable, AsyncIterator, Iterator

_SHORT = (
    "e.g i.e etc. mr mrs ms dr prof st vs approx ca inc ltd co corp dept est jr sr fig sec vol pp p.s a.m p.m u.s u.k "
    "z.b d.h u.a bzw usw evtl ggf inkl zzgl bspw tel str hr fr abs art "
    "p.ej sra srta ud uds etc pág núm tfno aprox p.ex c.-à-d env mme mlle m"
)
_ABBREVIATIONS = frozenset(_SHORT.split())
# "No. 5" is a number; "No. I cannot." is an answer.
_BEFORE_NUMBER = "no nr num núm n° art abs sec vol p pp fig ch"
_NUMBERED = frozenset(_BEFORE_NUMBER.split())
_MONTHS = re.compile(
    r"(?i)jan|feb|fév|fev|mär|mar|apr|avr|abr|ma[iy]|jun|juin|juil|jul|aug|août|ago|sep|okt|oct|nov|dez|dec|déc|dic|ene|enero"
)
_END = re.compile(
    r"(?<![.!?…])[.!?…]+[\"'”’»)\]]*(?P<gap>\s+)(?P<next>\S+)(?P<after>\s?)|(?P<line>(?<!\n)\n+[^\S\n]*)(?=\S)"
)
_LAST_WORD = re.compile(r"[^\s\"'“‘«(\[]+$")
_LONGEST_WORD = 20


def _is_end(before: str, following: str) -> bool:
    """`before` ends with the mark; `following` is the next word."""
    if before.rstrip("\"'”’»)]")[-1:] != ".":
        return True
    found = _LAST_WORD.search(before)
    word = (found.group() if found else "").rstrip(".\"'”’»)]").lower()
    if word in _NUMBERED:
        return not following[0].isdigit()
    if _MONTHS.match(word) and len(word) <= 5 and following[0].isdigit():
        return False
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and before[-2:-1].isupper()):
        return False
    ordinal = len(word) <= 2 and word.isdigit()
    return not (ordinal and _MONTHS.match(following)) and not following[0].islower()


class Splitter:
    """`feed` chunks in, whole sentences out; `flush` gives what is left."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, chunk: str) -> list[str]:
        self._held += chunk
        return list(self._complete())

    def flush(self) -> list[str]:
        sentences = list(self._complete(last=True))
        rest, self._held = self._held, ""
        return [*sentences, rest] if rest else sentences

    def _complete(self, *, last: bool = False) -> Iterator[str]:
        at = 0
        while match := _END.search(self._held, at):
            line = match["line"] is not None
            if not line and not self._knows_next(match, last=last):
                return
            at = match.end("line") if line else match.start("next")
            if (
                line
                or "\n" in match["gap"]
                or _is_end(self._held[max(0, match.start("gap") - _LONGEST_WORD) : match.start("gap")], match["next"])
            ):
                yield self._held[:at]
                self._held, at = self._held[at:], 0

    @staticmethod
    def _knows_next(match: re.Match[str], *, last: bool) -> bool:
        return last or bool(match["after"]) or len(match["next"]) > _LONGEST_WORD


async def sentences(chunks: AsyncIterable[str]) -> AsyncIterator[str]:
    """Whole sentences, each with the white space behind it, as soon as they are complete."""
    splitter = Splitter()
    async for chunk in chunks:
        for sentence in splitter.feed(chunk):
            yield sentence
    for sentence in splitter.flush():
        yield sentence


def split(text: str) -> tuple[str, ...]:
    """All sentences of a finished text."""
    splitter = Splitter()
    return (*splitter.feed(text), *splitter.flush())
