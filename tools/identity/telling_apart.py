"""Which of several accounts on one address is the customer's: something only they know, asked and compared by code.

Nothing of an account is ever shown. What its owner knows is kept as plain texts that are compared for equality. What
two accounts share would tell them apart for nobody, so another thing is asked then.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta, timezone
from decimal import Decimal
from typing import Literal, Protocol, get_args

from tools.billing.types import BillingPicture, Card, Charge
from tools.errors import NotFound
from tools.nlu.dates import days_written
from tools.safety.amounts import NUMBER, minor_units
from tools.safety.fold import fold

Kind = Literal["last4", "payment", "invoice"]
"""The last four digits of a card, amount and day of the last payment, the number of an invoice; in order of asking."""
KINDS: tuple[Kind, ...] = get_args(Kind)
Secrets = Mapping[Kind, frozenset[str]]

PLACEHOLDER = "[answer]"

_LAST4 = re.compile(r"(?<![\w.,/-])\d{4}(?![\w/-]|[.,]\d)")
_NUMBER = re.compile(rf"(?<![\w.,]){NUMBER}(?!\w)")
_NAME = re.compile(r"(?<!\w)[^\W_][\w/-]{3,40}(?!\w)")
_NUMERIC_DAY = re.compile(r"(?<![\d/.-])(\d{1,2})/(\d{1,2})(?:/(20\d\d))?(?![\d/])")
_WITH_DIGIT = re.compile(r"\S*\d\S*")
# The customer reads the day off a statement somewhere on Earth.
_ZONES = tuple(timezone(timedelta(hours=hours)) for hours in (-12, 0, 14))
_DECIMALS = (0, 2, 3)


class Pictures(Protocol):
    """The part of billing that is used here."""

    async def picture(self, customer: str) -> BillingPicture: ...
    async def card(self, payment_method: str) -> Card | None: ...


async def secrets_of(billing: Pictures, customer: str) -> Secrets:
    """What the owner of this account knows. Raises `BillingUnavailable`."""
    picture = await billing.picture(customer)
    paid = next((charge for charge in picture.charges if charge.status == "succeeded"), None)
    return {
        "last4": frozenset(card.last4 for card in await _cards(billing, picture, paid)),
        "payment": frozenset(_payment(paid) if paid else ()),
        "invoice": frozenset(fold(invoice.number).upper() for invoice in picture.invoices if invoice.number),
    }


def question_for(accounts: Mapping[str, Secrets]) -> Kind | None:
    """What most of these accounts can be told apart by; None when nothing does."""
    best = max(KINDS, key=lambda kind: _told_apart(kind, accounts))
    return best if _told_apart(best, accounts) else None


def answers_in(kind: Kind, text: str, today: date) -> frozenset[str]:
    """All that the one answer in this text may mean; empty when there is none, or more than one."""
    read = {"last4": _last4_in, "payment": _payment_in, "invoice": _invoice_in}[kind]
    return read(fold(text), today)


def owner(kind: Kind, answers: frozenset[str], accounts: Mapping[str, Secrets]) -> str | None:
    """The one account that the answer fits; None when it fits none, or several."""
    fitting = [account for account, known in accounts.items() if known[kind] & answers]
    return fitting[0] if len(fitting) == 1 else None


def without_answer(text: str) -> str:
    """Without what has a digit in it: the rest of the message may be about something else."""
    return _WITH_DIGIT.sub(PLACEHOLDER, text)


def _told_apart(kind: Kind, accounts: Mapping[str, Secrets]) -> int:
    """How many accounts have something of this kind, and share none of it."""
    known = [secrets[kind] for secrets in accounts.values()]
    shared = [any(mine & theirs for other, theirs in enumerate(known) if other != at) for at, mine in enumerate(known)]
    return sum(bool(mine) and not common for mine, common in zip(known, shared, strict=True))


async def _cards(billing: Pictures, picture: BillingPicture, paid: Charge | None) -> list[Card]:
    """On file for invoices and for running plans, and the one that was charged last."""
    methods = {
        picture.customer.payment_method,
        *(plan.payment_method for plan in picture.subscriptions if not plan.ended_at),
    }
    found = [await _card(billing, method) for method in sorted(method for method in methods if method)]
    return [card for card in (*found, paid.card if paid else None) if card]


async def _card(billing: Pictures, payment_method: str) -> Card | None:
    try:
        return await billing.card(payment_method)
    except NotFound:
        return None


def _payment(charge: Charge) -> Iterator[str]:
    for zone in _ZONES:
        yield _amount_on(charge.amount.decimal, charge.created.astimezone(zone).date())


def _amount_on(amount: Decimal, day: date) -> str:
    return f"{amount.normalize():f} on {day.isoformat()}"


def _last4_in(text: str, _today: date) -> frozenset[str]:
    found = _LAST4.findall(text)  # the groups of a whole card number are several, even where they are the same
    return frozenset(found) if len(found) == 1 else frozenset()


def _payment_in(text: str, today: date) -> frozenset[str]:
    days, rest = _days_cut_out(text, today)
    numbers = {match.group() for match in _NUMBER.finditer(rest)}
    if not days or len(numbers) != 1:
        return frozenset()
    [number] = numbers
    amounts = {
        Decimal(units).scaleb(-digits) for digits in _DECIMALS if (units := minor_units(number, digits)) is not None
    }
    return frozenset(_amount_on(amount, day) for amount in amounts for day in days)


def _days_cut_out(text: str, today: date) -> tuple[frozenset[date], str]:
    """The one day that is named, in both readings of `3/4`, and the text without it. No day when there are several."""
    named = list(days_written(text, today))
    days = {day for _, _, day in named if day}
    numeric = [] if named else list(_NUMERIC_DAY.finditer(text))
    spans = [(start, end) for start, end, _ in named] or [match.span() for match in numeric]
    several = len(days) > 1 or len(numeric) > 1
    for match in numeric:
        days |= set(_readings(match, today))
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return frozenset() if several else frozenset(days), text


def _readings(match: re.Match[str], today: date) -> Iterator[date]:
    first, second, year = match.groups()
    for month, day in ((int(first), int(second)), (int(second), int(first))):
        for back in [0] if year else [0, 1]:
            try:
                found = date(int(year) if year else today.year - back, month, day)
            except ValueError:
                continue
            if found <= today:
                yield found
                break


def _invoice_in(text: str, _today: date) -> frozenset[str]:
    found = {word.upper() for word in _NAME.findall(text) if any(map(str.isdigit, word))}
    return frozenset(found) if len(found) == 1 else frozenset()
