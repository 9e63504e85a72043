"""Card numbers that could exist, numbers that could not, and the words around them."""

import random
from collections.abc import Iterator

_PREFIXES = (("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("6011", 16),
             ("65", 16), ("3530", 16), ("36", 14), ("38", 14), ("62", 16), ("62", 19), ("4", 19))  # fmt: skip
_CHATTER = (
    "hi my card is {} please charge it",
    "Use {}, it's my new one.",
    "card:{}",
    "number={}; exp 12/29",
    "I was charged twice on {} and on another",
    "neue Karte {} bitte",
    "mi tarjeta {} gracias",
    "{}",
    "«{}»",
    "line one\n{}\nline three",
    "paid $49.00 on 2026-11-03 with {}",
)
_GAPS = ("", " ", "-", ".", "\u00a0", " - ", "\u2009", "\u2013", "\n", "\u200b")
_DIGITS = ("0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९")


def check_digit(digits: str) -> str:
    total = sum(int(d) * 2 - 9 * (int(d) > 4) if i % 2 == 0 else int(d) for i, d in enumerate(reversed(digits)))
    return str(-total % 10)


def card_numbers(count: int, seed: int = 7) -> Iterator[str]:
    """Plain digits, each with a right check digit."""
    chance = random.Random(seed)  # noqa: S311 - test data, the same every time
    for i in range(count):
        prefix, length = _PREFIXES[i % len(_PREFIXES)]
        body = prefix + "".join(chance.choice("0123456789") for _ in range(length - len(prefix) - 1))
        yield body + check_digit(body)


def _grouped(digits: str, gap: str) -> str:
    sizes = [4, 6, 5] if len(digits) == 15 else [4, 6, 4] if len(digits) == 14 else [4] * (-(-len(digits) // 4))
    parts, at = [], 0
    for size in sizes:
        parts.append(digits[at : at + size])
        at += size
    return gap.join(part for part in parts if part)


def cards_in_chatter(count: int) -> Iterator[tuple[str, str]]:
    """(text, the digits hidden in it)."""
    chance = random.Random(11)  # noqa: S311 - as above
    for i, digits in enumerate(card_numbers(count)):
        written = _grouped(digits, _GAPS[i % len(_GAPS)])
        if i % 9 == 0:
            written = written.translate(str.maketrans(_DIGITS[0], chance.choice(_DIGITS)))
        yield _CHATTER[i % len(_CHATTER)].format(written), digits


def look_alikes(count: int) -> Iterator[str]:
    """What a card detector likes to take for a card, and must not."""
    chance = random.Random(13)  # noqa: S311 - as above

    def digits(n: int) -> str:
        return "".join(chance.choice("0123456789") for _ in range(n))

    def wrong_card() -> str:
        card = next(card_numbers(1, chance.randrange(10**6)))
        return _grouped(card[:-1] + str((int(card[-1]) + 1 + chance.randrange(8)) % 10), chance.choice(["", " ", "-"]))

    token = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
    makers = (
        lambda: f"charge ch_{''.join(chance.choice(token) for _ in range(24))} and in_1{digits(16)}",
        lambda: f"invoice {''.join(chance.choice('ABCDEF0123456789') for _ in range(8))}-{chance.randrange(10000):04d}",
        lambda: f"paid ${chance.randrange(1, 10**6):,}.{digits(2)} or {digits(1)}.{digits(3)},{digits(2)} €",
        lambda: f"+1 {chance.randrange(200, 999)} 555 {digits(4)} or +49 30 {digits(7)}",
        lambda: f"from 2026-{chance.randrange(1, 13):02d}-11 to 23.11.2026 at 10:{chance.randrange(10, 60)}",
        lambda: f"order 1{digits(15)} arrived",
        lambda: f"receipt CF-2026-{digits(6)}, ticket {digits(6)}",
        wrong_card,
        lambda: f"in 3 parts of {digits(2)}.{digits(2)} each, {digits(2)} days, v{digits(1)}.{digits(1)}",
        lambda: f"my plan renews on {digits(1)} March, seats {digits(2)}, room {digits(4)}",
    )  # fmt: skip
    for i in range(count):
        yield makers[i % len(makers)]()
