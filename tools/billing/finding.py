"""Whose account it is: customers by what they say of themselves, all of them where there are several."""

from collections.abc import Awaitable, Callable, Iterable

import stripe

from tools.billing import contact
from tools.billing.reads import StripeReads, together
from tools.billing.translate import Json, customer_of
from tools.billing.types import Customer
from tools.errors import BillingUnavailable


class CustomerFinder:
    """Newest first. `region` is the country of phones that name none."""

    def __init__(self, reads: StripeReads, *, region: str) -> None:
        self._reads = reads
        self._region = region

    async def by_email(self, email: str) -> tuple[Customer, ...]:
        """In whatever case it was stored: Stripe's list is exact, and its search is late."""
        address = contact.email_of(email)
        if address is None:
            return ()
        reads = [self._reads.customers_with_email(spelt) for spelt in sorted({address, address.lower()})]
        if contact.may_be_searched(address):
            reads.append(self._searched(contact.any_of("email", [address]), otherwise=_nobody))
        found = [raw for answer in await together(reads) for raw in answer]
        return _customers(raw for raw in found if contact.same_email(raw.get("email"), address))

    async def by_phone(self, phone: str) -> tuple[Customer, ...]:
        number = contact.phone_of(phone, region=self._region)
        if number is None:
            return ()
        query = contact.any_of("phone", contact.spellings(number))
        found = await self._searched(query, otherwise=self._reads.newest_customers)
        return _customers(
            raw for raw in found if contact.phone_of(raw.get("phone") or "", region=self._region) == number
        )

    async def _searched(self, query: str, *, otherwise: Callable[[], Awaitable[list[Json]]]) -> list[Json]:
        """`otherwise` stands in where Stripe has no search at all, as for merchants in India."""
        try:
            return await self._reads.customers_matching(query)
        except BillingUnavailable as error:
            if isinstance(error.__cause__, stripe.InvalidRequestError):
                return await otherwise()
            raise


async def _nobody() -> list[Json]:
    return []


def _customers(found: Iterable[Json]) -> tuple[Customer, ...]:
    living = {raw["id"]: raw for raw in found if not raw.get("deleted")}
    newest = sorted(living.values(), key=lambda raw: (raw["created"], raw["id"]), reverse=True)
    return tuple(map(customer_of, newest))
