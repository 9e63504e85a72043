"""Cards that come in pieces, message by message. See docs/decisions/0011.

Of digits that may belong to a card nothing is kept but their number, their share of the check digit and the lengths of
cards that begin so. From these alone it can be told whether the digits of the next message complete a card.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from tools.safety.amounts import find_amounts
from tools.safety.dates import find_dates
from tools.safety.mask import legible
from tools.safety.numbers import LONGEST, RUN, lengths_of
from tools.safety.spans import Span, replaced
from tools.safety.types import Masked

SHOWN = "[card digits]"
FIRST = 4
"""Digits that a beginning needs, for its issuer to be known. As many may be read by anybody: PCI DSS 3.4.1."""
TELLING = 7
"""From so many on it is hidden at once; fewer are a price, a year, the last four of a card."""
_TERSE = 6
_CRUMB = 2
"""So few digits can end a card, and are otherwise a number of seats, a rating, a day."""
_LONGEST_PHONE = 12
MOST = 12
"""Pieces of one card, and small talk in between."""
_GIVING = re.compile(
    r"(?i)(?:card|karten?|kredit\w*|tarjeta|carte|visa|master ?card|amex|maestro|pan)"
    r"(?:\W+(?:number|numbers|no|nr|nummer|n[úu]mero|num[ée]ro|is|ist|lautet|es|est|starts?|begins?|beginnt|fängt|an|empieza|"
    r"commence|with|mit|con|por|par|the|die|der|los|las|les|first|ersten|primeros|premiers|digits|ziffern|d[íi]gitos|"
    r"chiffres|part|teil|parte|partie|half|are|sind|son|sont|here|hier|aqu[íi]|voici|\d))*\W*$"
)
_FILLER = re.compile(
    r"(?i)(?:my|the|it|its|s|is|are|and|then|next|rest|last|first|second|third|fourth|other|half|part|card|number|numbers|digits|"
    r"here|goes|ok|okay|visa|master|mastercard|amex|credit|debit|now|followed|by|with|starts|start|begins|exp|so|well|"
    r"die|der|das|meine|mein|karte|karten|kartennummer|nummer|ist|sind|und|dann|rest|ersten|letzten|weiter|danach|ziffern|"
    r"hier|jetzt|los|las|la|el|mi|tarjeta|n[úu]mero|es|son|y|luego|despu[ée]s|resto|primeros|[úu]ltimos|d[íi]gitos|aqu[íi]|"
    r"le|les|ma|mon|carte|num[ée]ro|est|sont|et|puis|ensuite|suite|premiers|derniers|chiffres|voici|reste)"
)
_BEFORE = re.compile(r"(?P<word>[^\W\d_]+)[^\w.;!?]{1,3}$")
_AFTER = re.compile(r"[ \u00a0-]{1,2}(?P<word>[^\W\d_]+)")
_LAST_FOUR = re.compile(
    r"(?i)(?:ending|ends|end(?:et|end)|endung|termina\w*|acaba\w*|terminant|finissant|last four|letzten vier)"
    r"\W+(?:\w+\W+)?$"
)
_WORD = re.compile(r"[^\W\d_]+")
_OURS = re.compile(r"\[[^\]\d]{0,20}(?:•+\d{4})?\]")
_PLAIN_GAP = re.compile(r"(?:(?![,;])[^\w]){1,6}")
_AMOUNT_OR_TIME = re.compile(
    r"\d{1,3}(?:[.,]\d{3})*[.,]\d{1,2}|\d{1,2}:\d\d(?::\d\d)?|\d{1,2}[/.-]\d{1,2}(?:[/.-]\d{2,4})?"
)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What is left of some digits once they are forgotten."""

    length: int
    plain: int
    """Their sum by ISO/IEC 7812-1, modulo 10, when the last of them is not doubled..."""
    doubled: int
    """...and when it is."""
    lengths: frozenset[int] = frozenset()
    """Of the cards that begin with them. Empty: none does, or they are too few to tell."""
    given: bool = False
    """They were called a card's."""
    loose: bool = False
    """Words beside them say that they are something else; they count where most of a card was there before."""

    @classmethod
    def of(cls, digits: str, *, given: bool = False, loose: bool = False) -> Self:
        sums = [sum(_weighed(int(d), (i + shift) % 2) for i, d in enumerate(reversed(digits))) % 10 for shift in (0, 1)]
        lengths = lengths_of(digits[:FIRST]) if len(digits) >= FIRST else frozenset[int]()
        return cls(length=len(digits), plain=sums[0], doubled=sums[1], lengths=lengths, given=given, loose=loose)

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises `ValueError` for what `written` did not write."""
        length, plain, doubled, lengths, marks = text.split(":")
        wanted = frozenset(map(int, filter(None, lengths.split(","))))
        sums = {"length": int(length), "plain": int(plain), "doubled": int(doubled)}
        return cls(**sums, lengths=wanted, given="g" in marks, loose="l" in marks)

    @property
    def written(self) -> str:
        lengths = ",".join(map(str, sorted(self.lengths)))
        marks = "g" * self.given + "l" * self.loose
        return f"{self.length}:{self.plain}:{self.doubled}:{lengths}:{marks}"

    def then(self, after: "Piece") -> "Piece":
        """Both as one number."""
        mine = (self.plain, self.doubled) if after.length % 2 == 0 else (self.doubled, self.plain)
        return Piece(
            length=self.length + after.length,
            plain=(mine[0] + after.plain) % 10,
            doubled=(mine[1] + after.doubled) % 10,
            lengths=self.lengths,
            given=self.given,
            loose=self.loose,
        )

    @property
    def is_card(self) -> bool:
        return self.length in self.lengths and self.plain == 0

    @property
    def may_go_on(self) -> bool:
        return any(self.length < length for length in self.lengths)


@dataclass(frozen=True)
class _Found:
    start: int
    end: int
    shape: tuple[int, ...]
    piece: Piece
    is_year: bool


def _weighed(digit: int, is_doubled: int) -> int:
    return sum(divmod(2 * digit, 10)) if is_doubled else digit


def pieces_in(text: str) -> list[Piece]:
    """Of a text that `mask` has seen: what to keep of it, in order."""
    return [found.piece for found in _found(_readable(text))]


def mask_pieces(said: Masked, earlier: Sequence[Piece]) -> Masked:
    """`said` without digits that continue those of `earlier` messages to a card, or that plainly begin one."""
    text = _readable(said.text)
    chatter = sum(_FILLER.fullmatch(word) is None for word in _WORD.findall(text))
    chain, spans = list(earlier), []
    for found in _found(text):
        if _begins(found, chatter) or _goes_on(found, chain[-MOST:], chatter):
            spans.append(Span(found.start, found.end, "card", SHOWN))
        chain.append(found.piece)
    if not spans:
        return said
    return Masked(text=replaced(said.text, spans), found=tuple(dict.fromkeys([*said.found, "card"])))


def closes(earlier: Sequence[Piece], pieces: Sequence[Piece]) -> bool:
    """One of these completes a card that those, or the ones before it, began."""
    return any(completes([*earlier, *pieces[:i]][-MOST:], piece) for i, piece in enumerate(pieces))


def completes(earlier: Sequence[Piece], piece: Piece) -> bool:
    return any(whole.is_card for whole in _joined(earlier, piece))


def _begins(found: _Found, chatter: int) -> bool:
    piece = found.piece
    if piece.loose or not piece.may_go_on or piece.length < TELLING:
        return False
    printed_so = all(size % 4 == 0 for size in found.shape) or found.shape == (4, 6) or piece.length > _LONGEST_PHONE
    return piece.given or (chatter == 0 and printed_so)


def _goes_on(found: _Found, chain: Sequence[Piece], chatter: int) -> bool:
    if completes(chain, found.piece):
        return found.piece.length >= FIRST or chatter <= _TERSE
    # Not six, which is a one-time code, and no year.
    likely = (found.piece.length in {4, 5} and not found.is_year) or found.piece.length > 6
    return likely and chatter == 0 and any(map(_is_under_way, _joined(chain, found.piece)))


def _is_under_way(whole: Piece) -> bool:
    return whole.may_go_on and whole.length > (TELLING if whole.given else 2 * FIRST)


def _joined(earlier: Sequence[Piece], last: Piece) -> Iterator[Piece]:
    """Every number that ends with `last` and begins with one of `earlier`, with or without small ones in between."""
    for chain in {tuple(p for p in earlier if p.length > least) for least in (_CRUMB, FIRST - 1)}:
        whole, loose = last, last.loose
        for piece in reversed(chain):
            whole = piece.then(whole)
            if whole.length > LONGEST:
                break
            if piece.lengths and not piece.loose and (piece.length >= TELLING or not loose):
                yield whole
            loose = loose or piece.loose


def _readable(text: str) -> str:
    """Our own marks blanked out."""
    return _OURS.sub(lambda found: " " * len(found.group()), legible(text))


def _found(text: str) -> Iterator[_Found]:
    """Digits that stand for themselves: no part of a word, an amount, a date, a telephone number with its plus."""
    taken = {at for one in find_amounts(text) for at in range(one.start, one.end)}
    taken |= {at for one in find_dates(text) for at in range(one.start, one.end)}
    for run in RUN.finditer(text):
        start, end = run.span()
        digits = re.sub(r"\D", "", run.group())
        if len(digits) < LONGEST and taken.isdisjoint(range(start, end)) and _is_free(text, run):
            shape = tuple(len(group) for group in re.findall(r"\d+", run.group()))
            given = bool(_GIVING.search(text[max(0, start - 80) : start]))
            is_year = re.fullmatch(r"20[0-4]\d", digits) is not None
            loose = not _stands_alone(text, start, end)
            yield _Found(start, end, shape, Piece.of(digits, given=given, loose=loose), is_year)


def _is_free(text: str, run: re.Match[str]) -> bool:
    start, end = run.span()
    beside = text[max(0, start - 1) : start] + text[end : end + 1]
    return (
        not re.search(r"[\w+$€£¥%#-]", beside)
        and not _AMOUNT_OR_TIME.fullmatch(run.group())
        and all(map(_PLAIN_GAP.fullmatch, filter(None, re.split(r"\d+", run.group()))))
    )


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Neither `order 4242` nor `42 seats` nor `ending in 4242`."""
    before = _BEFORE.search(text[max(0, start - 40) : start])
    after = _AFTER.match(text, end)
    named = [found["word"] for found in (before, after) if found]
    return all(map(_FILLER.fullmatch, named)) and not _LAST_FOUR.search(text[max(0, start - 40) : start])
