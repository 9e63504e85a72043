"""Believable customers from a seed, who know of themselves which of their charges were made twice.

Each kind of event is a function that writes charges and invoices into a `Book` and says what it planted:
`duplicates` must be found, `honest` must not, and `doubtful` must not either: there the data would look the same
had the customer wanted it, so a person decides.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from tests.tools.billing.make import NOW
from tools.billing.types import BillingPicture, Card, Charge, Customer, Invoice, InvoiceLine, Subscription
from tools.money import Money

MONTH = timedelta(days=30)
CURRENCIES = ("usd", "eur", "gbp", "jpy", "kwd")
PRICES = (1200, 1900, 2500, 4900, 9900, 48000)
PLANS = ("Starter", "Team", "Business", "Seat", "Storage")

Verdict = Literal["duplicate", "honest", "doubtful"]


@dataclass(frozen=True, kw_only=True)
class Planted:
    kind: str
    verdict: Verdict
    charges: frozenset[str]
    twice: frozenset[str]
    """The charges among them that were made in error: those to refund."""


@dataclass(frozen=True, kw_only=True)
class History:
    picture: BillingPicture
    planted: tuple[Planted, ...]


@dataclass(kw_only=True)
class Book:
    """One customer's billing, while it is written."""

    rng: random.Random
    number: int
    currency: str
    card: Card
    charges: list[Charge] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    balance: int = 0

    def fresh(self, prefix: str) -> str:
        return f"{prefix}_{self.number}x{self.rng.getrandbits(48):012x}"

    def day(self, *, back: int = 700) -> datetime:
        return NOW - timedelta(days=self.rng.uniform(40, back))

    def after(self, moment: datetime, most: timedelta, *, least: timedelta = timedelta(seconds=2)) -> datetime:
        return moment + least + (most - least) * self.rng.random()

    def price(self) -> Money:
        return Money(self.rng.choice(PRICES), self.currency)

    def thing(self) -> str:
        return f"Order of {self.rng.choice(PLANS)} no. {self.rng.getrandbits(30)}"

    def other_card(self) -> Card:
        return Card(brand="amex", last4="0005", fingerprint=f"fp_other_{self.number}")

    def charge(self, amount: Money, created: datetime, **changes: Any) -> Charge:
        base = Charge(
            id=self.fresh("ch"),
            payment_intent=self.fresh("pi"),
            amount=amount,
            captured=amount,
            refunded=Money(0, amount.currency),
            status="succeeded",
            disputed=False,
            created=created,
            description="Subscription update",
            card=self.card,
        )
        self.charges.append(replace(base, **changes))
        return self.charges[-1]

    def decline(self, amount: Money, created: datetime, **changes: Any) -> Charge:
        nothing = Money(0, amount.currency)
        return self.charge(amount, created, status="failed", captured=nothing, failure="declined", **changes)

    def invoice(self, *lines: InvoiceLine, created: datetime, **changes: Any) -> Invoice:
        total = Money(sum(line.amount.amount for line in lines), lines[0].amount.currency)
        base = Invoice(
            id=self.fresh("in"),
            number=None,
            status="paid",
            total=total,
            paid=total,
            remaining=Money(0, total.currency),
            tax=Money(0, total.currency),
            created=created,
            due=None,
            lines=lines,
            subscription=None,
            charges=(),
            pdf_url=None,
            hosted_url=None,
            asked=total,
            overpaid=Money(0, total.currency),
        )
        self.invoices.append(replace(base, **changes))
        return self.invoices[-1]

    def paid_invoice(self, *lines: InvoiceLine, created: datetime, **changes: Any) -> tuple[Invoice, Charge]:
        invoice = self.invoice(*lines, created=created, **changes)
        text = "Subscription update" if invoice.subscription else "Payment for Invoice"
        return invoice, self.charge(invoice.total, created, invoice=invoice.id, description=text)

    def plan(self, name: str, start: datetime, amount: Money, *, length: timedelta = MONTH) -> InvoiceLine:
        return InvoiceLine(
            description=f"1 × {name} (at {amount.decimal} / month)",
            amount=amount,
            quantity=1,
            period_start=start,
            period_end=start + length,
            proration=False,
            product=f"prod_{name}",
        )

    def item(self, text: str, amount: Money, moment: datetime) -> InvoiceLine:
        line = self.plan(text, moment, amount, length=timedelta(0))
        return replace(line, description=text, product=None)

    def renewals(self, name: str, start: datetime, amount: Money, times: int, subscription: str) -> Iterator[Charge]:
        for month in range(times):
            begin = start + month * MONTH
            line = self.plan(name, begin, amount)
            yield self.paid_invoice(line, created=begin, subscription=subscription)[1]

    def picture(self) -> BillingPicture:
        owner = Customer(
            id=f"cus_{self.number}", email=None, name=None, phone=None, balance=Money(self.balance, self.currency)
        )
        return BillingPicture(
            customer=owner,
            invoices=tuple(sorted(self.invoices, key=lambda invoice: invoice.created, reverse=True)),
            charges=tuple(sorted(self.charges, key=lambda charge: charge.created, reverse=True)),
            refunds=(),
            subscriptions=tuple(self.subscriptions),
            read_at=NOW,
        )


Plant = Callable[[Book], tuple[Charge, ...]]
"""Writes what happened into the book, and returns the charges that were made in error."""
Kinds = dict[str, tuple[Verdict, Plant]]


def history(number: int, kinds: Kinds, seed: int) -> History:
    """Customer `number`, to whom three to nine of the kinds have happened."""
    rng = random.Random(f"{seed}-{number}")  # noqa: S311 - a seeded generator is the point
    card = Card(brand="visa", last4=f"{rng.randrange(10_000):04d}", fingerprint=f"fp_{number}")
    book = Book(rng=rng, number=number, currency=rng.choice(CURRENCIES), card=card)
    chosen = rng.sample(sorted(kinds), k=rng.randint(3, 9))
    planted = []
    for kind in chosen:
        verdict, plant = kinds[kind]
        before = len(book.charges)
        twice = plant(book)
        ids = frozenset(charge.id for charge in book.charges[before:])
        planted.append(Planted(kind=kind, verdict=verdict, charges=ids, twice=frozenset(charge.id for charge in twice)))
    return History(picture=book.picture(), planted=tuple(planted))
