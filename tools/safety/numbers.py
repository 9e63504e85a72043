"""Card numbers, IBANs and their check digits."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, pairwise

import phonenumbers

_ISSUERS: tuple[tuple[re.Pattern[str], frozenset[int]], ...] = (
    (re.compile(r"4"), frozenset({13, 16, 18, 19})),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), frozenset({16})),  # Mastercard
    (re.compile(r"3[47]"), frozenset({15})),  # American Express
    (re.compile(r"6"), frozenset({16})),  # Discover, RuPay, Maestro and others
    (re.compile(r"6011|64[4-9]|65|62|81"), frozenset(range(16, 20))),  # Discover, UnionPay
    (re.compile(r"352[89]|35[3-8]"), frozenset(range(16, 20))),  # JCB
    (re.compile(r"1800|2131"), frozenset({15})),  # JCB, before 2000
    (re.compile(r"30[0-5]|36|38|39"), frozenset(range(14, 20))),  # Diners Club
    (re.compile(r"50|5[6-9]|6304|67"), frozenset(range(12, 20))),  # Maestro
    (re.compile(r"220[0-4]|9792|82"), frozenset({16})),  # Mir, Troy, RuPay
)
SHORTEST, LONGEST = 12, 19
_GAP = r"(?:[^\w$€£¥%#@&=<>?!{}^]|_){1,6}"
RUN = re.compile(rf"\d+(?:{_GAP}\d+)*")
"""Groups of digits with nothing but marks and blanks in between."""
_GROUP = re.compile(r"\d+")
_PLAIN_GAP = re.compile(r"[\s./|_-]*")
_CARD_CUE = re.compile(r"(?i)(?:card|karte|tarjeta|carte|visa|master ?card|amex|maestro|pan)\b\W*(?:\w+\W+){0,3}$")
_USUAL_SHAPES = frozenset(
    {(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 4, 2), (6, 13), (4, 4, 4, 1), (4, 4, 5), (8, 8)}
)
_STRIPE_ID = re.compile(
    r"(?:in|ch|py|pi|pm|re|pyr|sub|cus|cn|il|ii|si|seti|src|tok|txn|dp|du|evt|po|tr|acct|prod|price|tkt|ticket|act|action)_\w*"
)
_HEX = re.compile(r"(?:[a-z]{2,12}_)?(?=\d*[a-fA-F])[0-9a-fA-F]{24,}")
_UUID = re.compile(
    r"(?<![0-9A-Za-z])(?=[\d-]*[a-fA-F])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-"
    r"[0-9a-fA-F]{12}(?![0-9A-Za-z])"
)
"""RFC 9562, with a letter in it: one in 1,400 holds digits that a card could have, or an IBAN."""
_UUID_LENGTH = 36
_LIST_GAP = re.compile(r"[,;]\s")
# What people leave out no gap before: the expiry date, and the CVV.
_GLUED = re.compile(r"(?:0[1-9]|1[0-2])(?:20)?[2-4]\d(?:\d{3,4})?")
_IBANS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 "
    "EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 "
    "KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 "
    "PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 "
    "UA29 VA22 VG24 XK20 YE30"
)
IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _IBANS.split()}
_IBAN_GAP = r"[\s\u200b./_-]{0,3}"
_IBAN_START = re.compile(rf"(?<![A-Za-z0-9])[A-Za-z]{_IBAN_GAP}[A-Za-z]{_IBAN_GAP}\d{_IBAN_GAP}\d")


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    doubled = (sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


@lru_cache(maxsize=16_384)
def lengths_of(first_four: str) -> frozenset[int]:
    """How many digits a card may have that begins like this. Empty: nobody issues such a card."""
    return frozenset().union(*(lengths for prefix, lengths in _ISSUERS if prefix.match(first_four)))


def is_card(digits: str) -> bool:
    """An issuer gives out this prefix at this length, and the check digit holds."""
    return len(digits) in lengths_of(digits[:4]) and luhn(digits) and len(set(digits)) > 1


def _is_phone(digits: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return False


def inside_identifier(text: str, start: int, end: int) -> bool:
    """`ch_4242…`, a digest or a UUID; but neither `card_4242…` nor `_4242…_`."""
    if _inside_uuid(text, start, end):
        return True
    before, after = re.search(r"\w*$", text[max(0, start - 64) : start]), re.match(r"\w*", text[end : end + 64])
    head, tail = before.group() if before else "", after.group() if after else ""
    return bool(_STRIPE_ID.fullmatch(head) or _HEX.fullmatch(head + text[start:end] + tail))


def _inside_uuid(text: str, start: int, end: int) -> bool:
    about = _UUID.finditer(text, max(0, start - _UUID_LENGTH), end + _UUID_LENGTH)
    return any(start < there.end() and there.start() < end for there in about)


def _is_spaced_like_a_card(text: str, groups: list[re.Match[str]], *, cued: bool) -> bool:
    shape = tuple(len(group.group()) for group in groups)
    gaps = {re.sub(r"\s+", " ", text[a.end() : b.start()].replace("\u200b", "")) for a, b in pairwise(groups)}
    is_invoice_number = len(shape) == 2 and shape[1] == 4 and shape[0] >= 9 and gaps == {"-"}
    if is_invoice_number:
        return False
    if shape in _USUAL_SHAPES or all(size % 4 == 0 for size in shape):
        # `4101, 4102, 4103, 4104` is a list.
        return cued or not any(map(_LIST_GAP.match, gaps))
    return len(gaps) <= 1 and all(map(_PLAIN_GAP.fullmatch, gaps))


def _is_card_at(text: str, groups: list[re.Match[str]], digits: str) -> bool:
    start, end = groups[0].start(), groups[-1].end()
    if not is_card(digits) or inside_identifier(text, start, end):
        return False
    cued = bool(_CARD_CUE.search(text[max(0, start - 40) : start]))
    if not _is_spaced_like_a_card(text, groups, cued=cued):
        return False
    # Telephone numbers of 14 and 15 digits exist, but nobody writes one without its plus.
    may_be_phone = len(digits) <= 13 or (len(digits) <= 15 and text[max(0, start - 1) : start] == "+")
    return cued or not (may_be_phone and _is_phone(digits))


def _continues(text: str, groups: list[re.Match[str]], has_before: bool) -> bool:
    """The last three blocks of a longer number that is spaced alike are no number of their own.

    `groups` begins with the one before, if `has_before`.
    """
    size = sum(len(group.group()) for group in groups[1:])
    if not has_before or size >= 16 or len(groups[0].group()) != len(groups[1].group()):
        return False
    return len({text[a.end() : b.start()] for a, b in pairwise(groups)}) == 1


def _candidates(digits: str, ends: list[int], start: int, stop: int) -> Iterator[tuple[int, int]]:
    """(first group, last group) of what has a card's prefix and length, longest first."""
    for first in range(start, stop):
        lengths = lengths_of(digits[ends[first] : ends[first] + 4])
        if not lengths:
            continue
        last = first + 1
        while last < stop and ends[last + 1] - ends[first] <= LONGEST:
            last += 1
        yield from ((first, end) for end in range(last, first, -1) if ends[end] - ends[first] in lengths)


def _first_card(
    text: str, groups: list[re.Match[str]], digits: str, ends: list[int], within: tuple[int, int]
) -> tuple[int, int] | None:
    """Indexes of the first and last group of the leftmost, longest card; one grouped as cards are goes before."""
    found = None
    for first, last in _candidates(digits, ends, *within):
        if found and first >= found[1]:
            break
        whole, those = digits[ends[first] : ends[last]], groups[max(0, first - 1) : last]
        if not luhn(whole) or _continues(text, those, first > within[0]):
            continue
        shape = tuple(len(group.group()) for group in groups[first:last])
        if not _is_card_at(text, groups[first:last], whole):
            continue
        if len(shape) == 1 or shape in _USUAL_SHAPES:
            return first, last
        found = found or (first, last)
    return found


def _glued(text: str, groups: list[re.Match[str]]) -> Iterator[tuple[int, int, str]]:
    """Number, expiry and CVV without a gap."""
    for group in groups:
        digits = group.group()
        for length in sorted(lengths_of(digits[:4]), reverse=True):
            inner = digits[:length]
            if (
                (_GLUED.fullmatch(digits[length:]) or _glued_date(text, digits[length:], group.end()))
                and is_card(inner)
                and not inside_identifier(text, group.start(), group.end())
            ):
                yield group.start(), group.end(), inner
                break


def _glued_date(text: str, month: str, end: int) -> bool:
    return bool(re.fullmatch(r"0[1-9]|1[0-2]", month) and re.match(r"\s?[/-]\s?(?:20)?[2-4]\d", text[end : end + 8]))


def find_cards(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, digits) of every card number in folded text."""
    for run in RUN.finditer(text):
        if sum(map(str.isdigit, run.group())) < SHORTEST:
            continue
        groups = list(_GROUP.finditer(text, run.start(), run.end()))
        yield from _glued(text, groups)
        yield from _cards_among(text, groups)


def _cards_among(text: str, groups: list[re.Match[str]]) -> Iterator[tuple[int, int, str]]:
    digits = "".join(group.group() for group in groups)
    ends = [0, *accumulate(len(group.group()) for group in groups)]
    waiting = [(0, len(groups))]
    while waiting:
        start, stop = waiting.pop()
        if found := _first_card(text, groups, digits, ends, (start, stop)):
            first, last = found
            yield groups[first].start(), groups[last - 1].end(), digits[ends[first] : ends[last]]
            waiting += [part for part in ((start, first), (last, stop)) if part[0] < part[1]]


def is_iban(compact: str) -> bool:
    """ISO 13616: country's length, and the number modulo 97 is 1."""
    if IBAN_LENGTHS.get(compact[:2].upper()) != len(compact) or not compact.isalnum():
        return False
    rearranged = compact[4:] + compact[:4]
    return int("".join(str(int(c, 36)) for c in rearranged)) % 97 == 1


def find_ibans(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of every valid IBAN in folded text, in any case and spacing."""
    for match in _IBAN_START.finditer(text):
        country = "".join(filter(str.isalpha, match.group())).upper()
        length = IBAN_LENGTHS.get(country, 0)
        tail = _iban_of(length).match(text, match.start()) if length else None
        if not tail or _inside_uuid(text, *tail.span()):
            continue
        if is_iban(re.sub(r"[\s\u200b./_-]", "", tail.group())):
            yield tail.start(), tail.end()


@lru_cache(maxsize=len(IBAN_LENGTHS))
def _iban_of(length: int) -> re.Pattern[str]:
    return re.compile(rf"[A-Za-z](?:{_IBAN_GAP}[A-Za-z0-9]){{{length - 1}}}(?![A-Za-z0-9])")
