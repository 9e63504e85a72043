"""Card numbers, IBANs and their check digits."""

import re
from collections.abc import Iterator
from itertools import pairwise

import phonenumbers

_ISSUERS: tuple[tuple[re.Pattern[str], frozenset[int]], ...] = (
    (re.compile(r"4"), frozenset({13, 16, 18, 19})),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), frozenset({16})),  # Mastercard
    (re.compile(r"3[47]"), frozenset({15})),  # American Express
    (re.compile(r"6011|64[4-9]|65|62"), frozenset(range(16, 20))),  # Discover, UnionPay
    (re.compile(r"352[89]|35[3-8]"), frozenset(range(16, 20))),  # JCB
    (re.compile(r"1800|2131"), frozenset({15})),  # JCB, before 2000
    (re.compile(r"30[0-5]|36|38|39"), frozenset(range(14, 20))),  # Diners Club
    (re.compile(r"50|5[6-8]|6304|67"), frozenset(range(12, 20))),  # Maestro
)
_SEPARATOR = r"(?:[ \u200b\n\r\t]|[ \u200b]*[-./_|][ \u200b]*){1,3}"
_RUN = re.compile(rf"\d+(?:{_SEPARATOR}\d+)*")
_GROUP = re.compile(r"\d+")
_CARD_CUE = re.compile(r"(?i)(?:card|karte|tarjeta|carte|visa|master ?card|amex|maestro|pan)\b\W*(?:\w+\W+){0,3}$")
_USUAL_SHAPES = frozenset(
    {(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 4, 2), (6, 13), (4, 4, 4, 1), (4, 4, 5), (8, 8)}
)
_IBANS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 "
    "EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 "
    "KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 "
    "PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 "
    "VA22 VG24 XK20 YE30"
)
_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _IBANS.split()}
_IBAN_START = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z]{2}[ \u200b-]?\d[ \u200b-]?\d")


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    doubled = (sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def is_card(digits: str) -> bool:
    """An issuer gives out this prefix at this length, and the check digit holds."""
    issued = any(prefix.match(digits) and len(digits) in lengths for prefix, lengths in _ISSUERS)
    return issued and luhn(digits) and len(set(digits)) > 1


def _is_phone(digits: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return False


def _inside_identifier(text: str, start: int, end: int) -> bool:
    """`ch_4242…`, a digest, a UUID; but not `card4242…`."""
    before = re.search(r"\w*$", text[max(0, start - 40) : start])
    after = re.match(r"\w*", text[end : end + 40])
    head, tail = before.group() if before else "", after.group() if after else ""
    return bool("_" in head + tail or (head and not head.isalpha()) or (tail and not tail.isalpha()))


def _is_spaced_like_a_card(text: str, groups: list[re.Match[str]]) -> bool:
    shape = tuple(len(group.group()) for group in groups)
    gaps = {re.sub(r"\s+", " ", text[a.end() : b.start()].replace("\u200b", "")) or "" for a, b in pairwise(groups)}
    is_invoice_number = len(shape) == 2 and shape[1] == 4 and shape[0] >= 9 and gaps == {"-"}
    return not is_invoice_number and (len(gaps) <= 1 or shape in _USUAL_SHAPES)


def _is_card_at(text: str, groups: list[re.Match[str]]) -> bool:
    start, end = groups[0].start(), groups[-1].end()
    digits = "".join(group.group() for group in groups)
    if not is_card(digits) or _inside_identifier(text, start, end) or not _is_spaced_like_a_card(text, groups):
        return False
    cued = bool(_CARD_CUE.search(text[max(0, start - 40) : start]))
    # Telephone numbers of 14 and 15 digits exist, but nobody writes one without its plus.
    may_be_phone = len(digits) <= 13 or (len(digits) <= 15 and text[max(0, start - 1) : start] == "+")
    return cued or not (may_be_phone and _is_phone(digits))


def _continues(text: str, groups: list[re.Match[str]], first: int, last: int) -> bool:
    """The last three blocks of a longer number that is spaced alike are no number of their own."""
    size = sum(len(group.group()) for group in groups[first:last])
    if first == 0 or size >= 16 or len(groups[first - 1].group()) != len(groups[first].group()):
        return False
    gaps = [text[a.end() : b.start()] for a, b in pairwise(groups[first - 1 : last])]
    return len(set(gaps)) == 1


def _first_card(text: str, groups: list[re.Match[str]]) -> tuple[int, int] | None:
    """Indexes of the first and last group of the leftmost, longest card among `groups`."""
    for first in range(len(groups)):
        for last in range(min(len(groups), first + 19), first, -1):
            if _is_card_at(text, groups[first:last]) and not _continues(text, groups, first, last):
                return first, last
    return None


def find_cards(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, digits) of every card number in folded text."""
    for run in _RUN.finditer(text):
        if sum(map(str.isdigit, run.group())) < 12:
            continue
        groups = list(_GROUP.finditer(text, run.start(), run.end()))
        while found := _first_card(text, groups):
            first, last = found
            start, end = groups[first].start(), groups[last - 1].end()
            yield start, end, "".join(group.group() for group in groups[first:last])
            groups = groups[last:]


def is_iban(compact: str) -> bool:
    """ISO 13616: country's length, and the number modulo 97 is 1."""
    if _IBAN_LENGTHS.get(compact[:2].upper()) != len(compact) or not compact.isalnum():
        return False
    rearranged = compact[4:] + compact[:4]
    return int("".join(str(int(c, 36)) for c in rearranged)) % 97 == 1


def find_ibans(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of every valid IBAN in folded text, in any case and spacing."""
    for match in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(match.group()[:2].upper(), 0)
        tail = re.compile(rf"(?:[ \u200b-]?[A-Za-z0-9]){{{length}}}(?![A-Za-z0-9])").match(text, match.start())
        if length and tail and is_iban(re.sub(r"[ \u200b-]", "", tail.group())):
            yield tail.start(), tail.end()
