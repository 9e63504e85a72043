"""What a customer got back so far, counted from actions that succeeded."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from tools.errors import Conflict
from tools.ledger.repository import Repository
from tools.ledger.tables import actions
from tools.ledger.types import RefundHistory
from tools.money import Money

_YEAR = timedelta(days=365)
_DAY = timedelta(hours=24)


class Refunds(Repository):
    async def refund_history(self, customer: str, *, now: datetime) -> RefundHistory:
        """Refunds that succeeded after `now` less 365 days (counted) and less 24 hours (summed), up to `now`.

        A day of refunds in several currencies has no sum to hold a limit against: Conflict, a person decides.
        """
        counted = select(func.count()).where(*_between(customer, now - _YEAR, now))
        summed = select(actions.c.currency, func.sum(actions.c.amount)).group_by(actions.c.currency)
        async with self._database.read() as connection:
            count = (await connection.execute(counted)).scalar_one()
            sums = (await connection.execute(summed.where(*_between(customer, now - _DAY, now)))).all()
        if len(sums) > 1:
            raise Conflict("This customer was refunded in several currencies today, so a person has to decide.")
        last_day = Money(int(sums[0][1]), sums[0][0]) if sums else None
        return RefundHistory(count_last_year=count, last_day=last_day)


def _between(customer: str, after: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    # A succeeded action moves no more, so `updated` is when it succeeded.
    return (
        actions.c.customer == customer,
        actions.c.kind == "refund",
        actions.c.state == "succeeded",
        actions.c.updated > after,
        actions.c.updated <= until,
    )
