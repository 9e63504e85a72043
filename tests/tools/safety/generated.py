"""Secrets that could exist, numbers that only look like them, and the words around them. The same every time."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import phonenumbers
import yaml

from tools.safety.numbers import IBAN_LENGTHS, is_card

CHATTER: dict[str, dict[str, list[str]]] = yaml.safe_load(Path(__file__).with_name("chatter.yaml").read_text("utf-8"))
LANGUAGES = ("en", "de", "es", "fr")
_CARDS = (("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15), ("6011", 16),
          ("65", 16), ("3530", 16), ("36", 14), ("38", 14), ("62", 16), ("62", 19), ("4", 19), ("2200", 16),
          ("6304", 16), ("5018", 16), ("6759", 18), ("9792", 16), ("81", 16), ("4", 13))  # fmt: skip
_GAPS = (
    "",
    " ",
    "-",
    ".",
    "\u00a0",
    " - ",
    "\u2009",
    "\u2013",
    "\n",
    "\u200b",
    "  ",
    "\u2028",
    "\r\n",
    "/",
    "\u2060",
    ",",
)
_DIGITS = ("0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡", "⓪①②③④⑤⑥⑦⑧⑨")
_TOKEN = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
_REGIONS = ("US", "GB", "DE", "ES", "FR", "CH", "AT", "IT", "NL", "MX", "IN", "SG")
Maker = Callable[[random.Random], str]


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - test data, the same every time


def digits(by: random.Random, count: int) -> str:
    return "".join(by.choice("0123456789") for _ in range(count))


def token(by: random.Random, count: int) -> str:
    return "".join(by.choice(_TOKEN) for _ in range(count - 2)) + "a7"


def check_digit(body: str) -> str:
    total = sum(int(d) * 2 - 9 * (int(d) > 4) if i % 2 == 0 else int(d) for i, d in enumerate(reversed(body)))
    return str(-total % 10)


def card_numbers(count: int, seed: int = 7) -> Iterator[str]:
    """Plain digits, each with a right check digit. None is all one digit."""
    by = chance(seed)
    for i in range(count):
        prefix, length = _CARDS[i % len(_CARDS)]
        body = prefix + digits(by, length - len(prefix) - 1)
        yield body + check_digit(body)


def grouped(number: str, gap: str) -> str:
    """As it is printed on the card."""
    sizes = [4, 6, 5] if len(number) == 15 else [4, 6, 4] if len(number) == 14 else [4] * (-(-len(number) // 4))
    parts, at = [], 0
    for size in sizes:
        parts.append(number[at : at + size])
        at += size
    return gap.join(part for part in parts if part)


def said(kind: str, i: int, secret: str) -> str:
    """`secret` in the i-th sentence of its kind, one language after the other."""
    sentences = CHATTER[kind][LANGUAGES[i % 4]]
    return sentences[i // 4 % len(sentences)].replace("{}", secret)


def cards_in_chatter(count: int) -> Iterator[tuple[str, str]]:
    """(text, the digits hidden in it)."""
    by = chance(11)
    for i, number in enumerate(card_numbers(count)):
        written = _disguised(by, i, number)
        # 13 digits without a word on what they are, are a telephone number as well.
        text = f"card {written}" if len(number) == 13 else said("card", by.randrange(10_000), written)
        yield text, number


def _disguised(by: random.Random, i: int, number: str) -> str:
    if i % 13 == 0:
        return "".join(f"{digit}\ufe0f\u20e3" for digit in number)
    if i % 17 == 0:
        return " ".join(number)
    written = grouped(number, by.choice(_GAPS))
    return written.translate(str.maketrans(_DIGITS[0], by.choice(_DIGITS))) if i % 5 == 0 else written


def iban(by: random.Random) -> str:
    country = by.choice(sorted(IBAN_LENGTHS))
    account = digits(by, IBAN_LENGTHS[country] - 4)
    if country in {"GB", "NL", "IE", "MT", "BG"}:
        account = "".join(by.choice("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(4)) + account[4:]
    rest = int("".join(str(int(c, 36)) for c in f"{account}{country}00")) % 97
    return f"{country}{98 - rest:02d}{account}"


def ibans_in_chatter(count: int) -> Iterator[tuple[str, str]]:
    by = chance(17)
    for i in range(count):
        number = iban(by)
        gap = by.choice(("", " ", "\u00a0", "-", "\u200b", "\n"))
        written = gap.join(number[at : at + 4] for at in range(0, len(number), 4))
        yield said("iban", i, written.lower() if i % 5 == 0 else written), number


def _phone(by: random.Random) -> tuple[str, str]:
    """(a valid number as people of its country write it, its national digits)."""
    example = phonenumbers.example_number_for_type(by.choice(_REGIONS), phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    while True:
        national = str(example.national_number)[:-6] + digits(by, 6)
        number = phonenumbers.PhoneNumber(country_code=example.country_code, national_number=int(national))
        if phonenumbers.is_valid_number(number):
            break
    style = by.choice(
        (
            phonenumbers.PhoneNumberFormat.E164,
            phonenumbers.PhoneNumberFormat.INTERNATIONAL,
            phonenumbers.PhoneNumberFormat.NATIONAL,
        )
    )
    written = phonenumbers.format_number(number, style)
    return (f"00{written[1:]}" if written.startswith("+") and by.random() < 0.2 else written), national


def phones_in_chatter(count: int) -> Iterator[tuple[str, str]]:
    by = chance(19)
    for i in range(count):
        written, national = _phone(by)
        yield said("phone", i, written), national


def emails_in_chatter(count: int) -> Iterator[tuple[str, str]]:
    by = chance(23)
    names = ("ada", "jo.doe", "m_müller", "info+billing", "x", "José.García", "o'neil")
    hosts = ("example.com", "mail.example.co.uk", "münchen.example", "a-b.example.org")
    for i in range(count):
        address = f"{by.choice(names)}{i}@{by.choice(hosts)}"
        yield (
            by.choice(("my mail is {}.", "{}", "<{}>", "write to {}, please", "mailto:{}?x", "«{}»")).format(address),
            address,
        )


def _expiry(by: random.Random) -> str:
    year = by.randrange(24, 36)
    return f"{by.randrange(1, 13):02d}{by.choice(('/', ' / ', '-', '/20'))}{year}"


def _key(by: random.Random) -> str:
    return by.choice(
        (
            f"sk_live_{token(by, 24)}", f"rk_test_{token(by, 24)}", f"whsec_{token(by, 32)}", f"AKIA{digits(by, 16)}",
            f"ghp_{token(by, 36)}", f"glpat-{token(by, 20)}", f"xoxb-{digits(by, 12)}-{token(by, 24)}",
            f"sk-proj-{token(by, 40)}", f"AIza{token(by, 35)}", f"npm_{token(by, 36)}",
            f"SG.{token(by, 22)}.{token(by, 43)}",
            f"eyJ{token(by, 20)}.eyJ{token(by, 30)}.{token(by, 43)}", f"pi_{token(by, 24)}_secret_{token(by, 25)}",
            f"hf_{token(by, 34)}", f"shpat_{by.randrange(16**32):032x}", f"lsv2_pt_{by.randrange(16**32):032x}",
        )
    )  # fmt: skip


def _password(by: random.Random) -> str:
    return by.choice(("hunter", "Sommer", "tr0ub4dor", "S3cret", "clave")) + by.choice("!#_*") + digits(by, 3)


_SECRETS: dict[str, Maker] = {
    "cvv": lambda by: digits(by, by.choice((3, 3, 4))),
    "expiry": _expiry,
    "code": lambda by: f"{digits(by, 3)}{by.choice(('', '-', ' '))}{digits(by, 3)}",
    "key": _key,
    "password": _password,
}  # fmt: skip


def in_chatter(kind: str, count: int) -> Iterator[tuple[str, str]]:
    """(text, the secret in it): `cvv`, `expiry`, `code`, `key` or `password`."""
    by = chance(29)
    for i in range(count):
        secret = _SECRETS[kind](by)
        yield said(kind, i, secret), secret


def wrong_card(by: random.Random) -> str:
    """As a card in all but its check digit."""
    card = next(card_numbers(1, by.randrange(10**6)))
    return grouped(card[:-1] + str((int(card[-1]) + 1 + by.randrange(8)) % 10), by.choice(["", " ", "-"]))


def _no_card(by: random.Random, count: int, first: str) -> str:
    """Digits that no issuer gives out, or that fail the check."""
    while is_card(number := by.choice(first) + digits(by, count - 1)):
        pass
    return number


def _isbn(by: random.Random) -> str:
    body = f"978{digits(by, 9)}"
    last = -sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(body)) % 10
    return f"978-{body[3]}-{body[4:7]}-{body[7:12]}-{last}"


_PLAIN: tuple[Maker, ...] = (
    lambda by: f"charge ch_{token(by, 24)} and in_1{digits(by, 16)}",
    lambda by: f"invoice {by.randrange(16**8):08X}-{by.randrange(10000):04d}",
    lambda by: f"paid ${by.randrange(1, 10**6):,}.{digits(by, 2)} or {digits(by, 1)}.{digits(by, 3)},{digits(by, 2)} €",
    lambda by: f"from 2026-{by.randrange(1, 13):02d}-11 to 23.11.2026 at 10:{by.randrange(10, 60)}",
    lambda by: f"order {_no_card(by, 16, '01789')} arrived, tracking 1Z{token(by, 16).upper()}",
    lambda by: f"Rechnung CF-2026-{digits(by, 6)}, ticket {digits(by, 6)}",
    lambda by: (
        f"in 3 parts of {digits(by, 2)}.{digits(by, 2)} each, {digits(by, 2)} days, v{digits(by, 1)}.{digits(by, 1)}"
    ),
    lambda by: f"mi plan se renueva el {by.randrange(1, 29)} de marzo, {digits(by, 2)} puestos, sala {digits(by, 4)}",
    lambda by: (
        f"run {by.randrange(16**8):08x}-{by.randrange(16**4):04x}-4{by.randrange(16**3):03x}-9{by.randrange(16**3):03x}"
        f"-{by.randrange(16**12):012x} failed"
    ),
    lambda by: f"ISBN {_isbn(by)}",
    lambda by: f"at {1_600_000_000 + by.randrange(10**8)}, or {1_600_000_000_000 + by.randrange(10**11)} ms",
    lambda by: f"sha {by.randrange(16**64):064x}",
    lambda by: f"colis {_no_card(by, 13, '012789')} expédié le 3 mars",
    lambda by: f"the card ending in {digits(by, 4)} was charged {digits(by, 2)},{digits(by, 2)} €",
    lambda by: f"item {digits(by, 3)}, seat {digits(by, 3)}, error {digits(by, 3)}, 365 days, section {digits(by, 3)}",
    lambda by: (
        f"2026-11-{by.randrange(10, 31)}T10:{by.randrange(10, 60)}:{by.randrange(10, 60)}.{digits(by, 6)}Z "
        f"request took 0.{digits(by, 4)}s"
    ),
    lambda by: (
        f"seats: {digits(by, 1)}, {digits(by, 2)}, {digits(by, 2)}; "
        f"invoices {4000 + by.randrange(90)}, {4100 + by.randrange(90)}"
    ),
    lambda by: f"promo code {digits(by, 6)}, zip code {digits(by, 5)}, error code {digits(by, 6)}",
    lambda by: (
        f"it is on page {digits(by, 3)} of cus_{token(by, 14)} and sub_{token(by, 24)}, "
        f"digest {by.randrange(16**40):040x}"
    ),
    lambda by: f"VAT DE{_no_card(by, 9, '123')}, IBAN ending {digits(by, 4)}, my plan expires on 12/2{digits(by, 1)}",
)


def look_alikes(count: int) -> Iterator[str]:
    """What is neither card nor account, code nor key, nor anybody's address, and must stay readable."""
    by = chance(13)
    for i in range(count):
        yield _PLAIN[i % len(_PLAIN)](by)


def card_look_alikes(count: int) -> Iterator[str]:
    """Those, and telephone numbers, and cards with a wrong check digit."""
    by = chance(31)
    for i, plain in enumerate(look_alikes(count)):
        yield (
            said("card", by.randrange(10_000), wrong_card(by))
            if i % 3 == 0
            else (said("phone", i, _phone(by)[0]) if i % 3 == 1 else plain)
        )


def iban_look_alikes(count: int) -> Iterator[str]:
    """Those, and IBANs with a wrong check digit."""
    by = chance(37)
    for i, plain in enumerate(look_alikes(count)):
        good = iban(by)
        bad = good[:-1] + str((int(good[-1]) + 1 + by.randrange(8)) % 10)
        yield said("iban", i, bad) if i % 2 == 0 else plain


def lucky_numbers(count: int) -> Iterator[str]:
    """Order numbers of 16 random digits: a tenth of those with an issuer's prefix are cards, to anybody who looks."""
    by = chance(41)
    for _ in range(count):
        yield f"order {by.choice('123456789')}{digits(by, 15)} arrived"


def phone_look_alikes(count: int) -> Iterator[str]:
    """Those, and cards and IBANs that are wrong, and numbers of parcels that somebody calls a number."""
    by = chance(43)
    for i, plain in enumerate(look_alikes(count)):
        others = (plain, f"paid with {wrong_card(by)}", f"order number {digits(by, 8)}-{digits(by, 4)} please", plain)
        yield others[i % len(others)]


_CUTS = ((8, 8), (4, 4, 4, 4), (6, 10), (12, 4), (5, 11), (10, 6), (4, 12), (8, 4, 4), (15, 1))
_HALVES = {
    "en": (("{}", "{}"), ("my card is {}", "and the rest is {}"), ("my card number starts with {}", "then {}")),
    "de": (("{}", "{}"), ("meine Kartennummer ist {}", "und dann {}"), ("Karte: {}", "der Rest ist {}")),
    "es": (("{}", "{}"), ("mi tarjeta es {}", "y luego {}"), ("tarjeta número {}", "y {}")),
    "fr": (("{}", "{}"), ("ma carte est {}", "et ensuite {}"), ("carte numéro {}", "puis {}")),
}


def split_cards(count: int) -> Iterator[tuple[list[str], list[str]]]:
    """(messages of one conversation, the digits in each)."""
    by = chance(47)
    for i in range(count):
        body = by.choice(("4", "51", "2221", "6011", "3530")) + digits(by, 15)
        number = body[:15] + check_digit(body[:15])
        cut = _CUTS[i % len(_CUTS)]
        ends = [sum(cut[: n + 1]) for n in range(len(cut))]
        parts = [number[end - size : end] for end, size in zip(ends, cut, strict=True)]
        first, then = by.choice(_HALVES[LANGUAGES[i % 4]])
        gap = by.choice(("", " ", "-", "\u00a0"))
        yield [(then if n else first).format(grouped(part, gap)) for n, part in enumerate(parts)], parts


_ANSWERS: tuple[Maker, ...] = (
    lambda by: digits(by, 4), lambda by: f"the card ending in {digits(by, 4)}", lambda by: f"{by.randrange(5, 900)}",
    lambda by: f"${by.randrange(5, 900)}.{digits(by, 2)}", lambda by: f"{by.randrange(5, 900)},{digits(by, 2)} €",
    lambda by: f"CF-2026-{digits(by, 6)}", lambda by: f"{by.randrange(16**8):08X}-{by.randrange(10000):04d}",
    lambda by: str(by.randrange(1, 6)), lambda by: by.choice(("2026", "yes")),
    lambda by: f"{by.randrange(1, 28)}.11.2026",
    lambda by: f"+49 30 {digits(by, 7)}", lambda by: f"2026-11-{by.randrange(10, 30)}",
    lambda by: f"order {digits(by, 8)}",
    lambda by: f"{by.randrange(2, 40)} seats", lambda by: digits(by, 6), lambda by: f"DE{digits(by, 9)}",
    lambda by: f"invoice {digits(by, 6)} of March",
    lambda by: f"{by.randrange(10, 99)} users and {by.randrange(2, 9)} admins",
)  # fmt: skip


def plain_talks(count: int) -> Iterator[list[str]]:
    """Eight short answers in ten minutes, all of them with numbers, none of them a part of a card."""
    by = chance(53)
    for _ in range(count):
        yield [by.choice(_ANSWERS)(by) for _ in range(8)]
