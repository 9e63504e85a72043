"""How well secrets are found: for the tests, which hold bounds, and for `make bench-masking`, which prints."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.tools.safety import generated
from tools.safety.mask import mask
from tools.safety.pieces import Piece, mask_pieces, pieces_in
from tools.safety.redact import redact

COLUMNS = ("kind", "secrets", "found", "look-alikes", "taken for one")
MANY, SOME = 5_000, 1_000
READABLE = 10
"""Digits of a card that may be read: the first eight or six and any last four, of 16. PCI DSS 3.4.1 has 6 and 4."""


@dataclass
class Figure:
    kind: str
    positives: int = 0
    look_alikes: int = 0
    missed: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return 1 - len(self.missed) / self.positives

    @property
    def false_positives(self) -> float:
        return len(self.touched) / self.look_alikes

    def row(self) -> tuple[str, ...]:
        found = (f"{self.positives:,}", f"{self.recall:.2%}")
        return (self.kind, *found, f"{self.look_alikes:,}", f"{self.false_positives:.2%}")


def digits_of(text: str) -> str:
    values = (unicodedata.digit(character, None) for character in text)
    return "".join(str(value) for value in values if value is not None)


def cards() -> Figure:
    found = Figure("card")
    for text, number in generated.cards_in_chatter(MANY):
        shown = mask(text).text
        _count(found, text, is_gone=number[:-4] not in digits_of(shown) and number[-4:] in shown)
    return _spared(found, generated.card_look_alikes(MANY), lambda text: mask(text).text)


def ibans() -> Figure:
    found = Figure("IBAN")
    for text, _ in generated.ibans_in_chatter(MANY):
        _count(found, text, is_gone="[iban]" in mask(text).text)
    return _spared(found, generated.iban_look_alikes(MANY), lambda text: mask(text).text)


def phones() -> Figure:
    found = Figure("phone (logs, traces)")
    for text, national in generated.phones_in_chatter(MANY):
        _count(found, text, is_gone=national[:-2] not in digits_of(redact(text)))
    return _spared(found, generated.phone_look_alikes(MANY), redact)


def emails() -> Figure:
    found = Figure("e-mail (logs, traces)")
    for text, address in generated.emails_in_chatter(SOME):
        _count(found, text, is_gone=address not in redact(text))
    return _spared(found, generated.look_alikes(SOME), redact)


def named(kind: str) -> Figure:
    """`cvv`, `expiry`, `code`, `key`, `password`."""
    found = Figure(kind)
    for text, secret in generated.in_chatter(kind, SOME):
        _count(found, text, is_gone=secret not in mask(text).text)
    return _spared(found, generated.look_alikes(SOME), lambda text: mask(text).text)


def split_cards() -> Figure:
    """Found: no more than `READABLE` digits can be read in all messages together."""
    found = Figure("card in pieces")
    for messages, parts in generated.split_cards(SOME):
        told = conversation(messages)
        readable = sum(len(part) for part, shown in zip(parts, told, strict=True) if part in digits_of(shown))
        _count(found, " | ".join(messages), is_gone=readable <= READABLE)
    found.look_alikes = SOME
    for messages in generated.plain_talks(SOME):
        if conversation(messages) != messages:
            found.touched.append(" | ".join(messages))
    return found


def conversation(messages: list[str]) -> list[str]:
    """What the door keeps of these messages of one thread. The one-time codes are taken elsewhere."""
    earlier: list[Piece] = []
    told = []
    for message in messages:
        said = mask(message)
        told.append(mask_pieces(said, earlier).text)
        earlier += pieces_in(said.text)
    return told


def _count(figure: Figure, text: str, *, is_gone: bool) -> None:
    figure.positives += 1
    if not is_gone:
        figure.missed.append(text)


def _spared(figure: Figure, look_alikes: Iterable[str], change: Callable[[str], str]) -> Figure:
    for text in look_alikes:
        figure.look_alikes += 1
        if change(text) != text:
            figure.touched.append(text)
    return figure
