"""Small stand-ins for the ledger, the mail server and the billing reads, with faults that can be planted."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.tools.billing.make import charge, invoice, picture
from tools.billing.types import BillingPicture, Card, Customer
from tools.errors import BillingUnavailable, MailUnavailable, Unavailable
from tools.identity.types import Level
from tools.ledger.types import AuditEntry, Identity
from tools.money import Money


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def anonymous(thread: str) -> Identity:
    return Identity(thread=thread, level=0, email=None, customer=None, verified_at=None, expires_at=None)


@dataclass
class Ledger:
    bound: dict[str, Identity] = field(default_factory=dict)
    proved: dict[str, str | None] = field(default_factory=dict)
    ttls: list[float] = field(default_factory=list)
    audited: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    down: bool = False

    async def bind_identity(
        self, thread_id: str, *, level: Level, email: str | None, customer: str | None, ttl_seconds: float
    ) -> Identity:
        if self.down:
            raise Unavailable
        self.ttls.append(ttl_seconds)
        self.proved[thread_id] = email if customer else None
        now = datetime.now(UTC)
        self.bound[thread_id] = Identity(
            thread=thread_id, level=level, email=email, customer=customer, verified_at=now, expires_at=now
        )
        return self.bound[thread_id]

    async def identity(self, thread_id: str) -> Identity:
        return self.bound.get(thread_id, anonymous(thread_id))

    async def proved_address(self, thread_id: str) -> str | None:
        return self.proved.get(thread_id)

    async def unbind_identity(self, thread_id: str) -> None:
        self.bound.pop(thread_id, None)
        self.proved.pop(thread_id, None)

    async def audit(self, event: str, /, **data: Any) -> AuditEntry:
        self.audited.append((event, data))
        return AuditEntry(sequence=len(self.audited), at=datetime.now(UTC), event=event, data=data)

    @asynccontextmanager
    async def recording(self, **_ids: str | None) -> AsyncIterator[None]:
        yield


@dataclass
class Post:
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    down: bool = False
    seconds: float = 0

    async def send(self, to: str, subject: str, text: str) -> None:
        await asyncio.sleep(self.seconds)
        if self.down:
            raise MailUnavailable
        self.sent.append((to, subject, text))

    @property
    def code(self) -> str:
        """Of the last mail."""
        found = re.search(r"code is (\d{6})\.", self.sent[-1][2])
        assert found is not None
        return found.group(1)


@dataclass
class Directory:
    """Ada has one account, Grace has two with one address, Emmy's account has no address.

    Accounts are empty but for what is put into `cards`, `payments` and `invoices`.
    """

    down: bool = False
    asked: list[str] = field(default_factory=list)
    customers: tuple[Customer, ...] = (
        Customer(id="cus_ada", email="ada@example.com", name="Ada", phone="+15550001"),
        Customer(id="cus_grace1", email="grace@example.com", name="Grace", phone="+15550002"),
        Customer(id="cus_grace2", email="grace@example.com", name="Grace", phone="+15550003"),
        Customer(id="cus_emmy", email=None, name="Emmy", phone="+15550004"),
        Customer(id="cus_alan", email="alan@example.com", name="Alan", phone="+15550005"),
        Customer(id="cus_joan", email="joan@example.com", name="Joan", phone="+15550005"),
    )

    cards: dict[str, str] = field(default_factory=dict)
    """The last four digits of each customer's."""
    payments: dict[str, list[tuple[Money, datetime]]] = field(default_factory=dict)
    invoices: dict[str, tuple[str, ...]] = field(default_factory=dict)

    async def picture(self, customer: str) -> BillingPicture:
        self._ask(customer)
        [found] = [one for one in self.customers if one.id == customer]
        paid = [charge("1", amount=one, created=at, card=None) for one, at in self.payments.get(customer, ())]
        numbered = tuple(invoice(number, number=number) for number in self.invoices.get(customer, ()))
        method = f"pm_{customer}" if customer in self.cards else None
        return replace(picture(*paid, invoices=numbered), customer=replace(found, payment_method=method))

    async def card(self, payment_method: str) -> Card | None:
        self._ask(payment_method)
        return Card(brand="visa", last4=self.cards[payment_method.removeprefix("pm_")], fingerprint="f")

    async def find_by_email(self, email: str) -> tuple[Customer, ...]:
        self._ask(email)
        return tuple(customer for customer in self.customers if customer.email == email)

    async def find_by_phone(self, phone: str) -> tuple[Customer, ...]:
        self._ask(phone)
        return tuple(customer for customer in self.customers if customer.phone == phone)

    def _ask(self, what: str) -> None:
        if self.down:
            raise BillingUnavailable
        self.asked.append(what)
