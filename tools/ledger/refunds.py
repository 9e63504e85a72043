"""What a customer got back so far or is about to, and how many automatic refunds there are in all."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from tools.ledger.repository import Repository
from tools.ledger.tables import actions, refund_outcomes
from tools.ledger.transitions import LIVE
from tools.ledger.types import RefundHistory
from tools.money import Money

_YEAR = timedelta(days=365)
_DAY = timedelta(hours=24)
_BEGUN = ("executing", "unknown", "succeeded")
_SENT_BACK = select(refund_outcomes.c.action).where(refund_outcomes.c.state.in_(("failed", "canceled")))
_COUNTS = (
    actions.c.state.in_((*sorted(LIVE), "succeeded")),
    actions.c.id.not_in(_SENT_BACK),
)


class Refunds(Repository):
    async def refund_history(self, customer: str, *, now: datetime, besides: str = "") -> RefundHistory:
        """Agreed to and not come to nothing, after `now` less 365 days or 24 hours, up to `now`.

        What is still under way counts, so that two requests at once cannot each pass for the only one.
        `besides` is the id of an action that is left out: the one that is weighed.
        """
        mine = (actions.c.customer == customer, actions.c.id != besides, *_COUNTS)
        is_refund = actions.c.kind == "refund"
        asked_for = actions.c.kind.not_in(("refund", "instalment"))
        year, day = (*mine, *_within(now - _YEAR, now)), (*mine, *_within(now - _DAY, now))
        count = select(func.count())
        summed = select(actions.c.currency, func.sum(actions.c.amount), func.count()).group_by(actions.c.currency)
        async with self._database.read() as connection:
            last_year = (await connection.execute(count.where(*year, is_refund))).scalar_one()
            changes = (await connection.execute(count.where(*day, asked_for))).scalar_one()
            sums = (await connection.execute(summed.where(*day, is_refund).order_by(actions.c.currency))).all()
        return RefundHistory(
            count_last_year=last_year,
            last_day=tuple(Money(int(total), currency) for currency, total, _ in sums),
            count_last_day=sum(count for *_, count in sums),
            changes_last_day=changes,
        )

    async def automatic_refunds(self, *, after: datetime, until: datetime) -> int:
        """How many refunds were carried out without a person, of all customers."""
        begun = (actions.c.kind == "refund", actions.c.outcome == "auto", actions.c.state.in_(_BEGUN))
        counted = select(func.count()).where(*begun, *_within(after, until))
        async with self._database.read() as connection:
            return int((await connection.execute(counted)).scalar_one())


def _within(after: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    # A succeeded action moves no more, so `updated` is when it succeeded.
    return (actions.c.updated > after, actions.c.updated <= until)
