"""Requests of two demo customers: one that policy lets pass by itself, and one that a person approves."""

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.sandbox import Sandbox
from tools.billing.analysis import find_duplicates
from tools.billing.stripe_billing import StripeBilling
from tools.policy.types import ActionRequest


@pytest.fixture
async def billing(sandbox: Sandbox) -> AsyncIterator[StripeBilling]:
    async with StripeBilling.open(sandbox.api_key, sandbox.url) as opened:
        yield opened


@pytest.fixture
async def request_of_ada(billing: StripeBilling) -> ActionRequest:
    """49.00 USD, charged twice."""
    [ada] = await billing.find_by_email("ada@example.com")
    [pair] = find_duplicates(await billing.picture(ada.id))
    return ActionRequest(
        kind="refund",
        ground="duplicate",
        customer=ada.id,
        target=pair.later.id,
        amount=pair.later.refundable,
        refundable=pair.later.refundable,
        disputed=False,
        charged_at=pair.later.created,
        interval="month",
    )


@pytest.fixture
async def request_of_grace(billing: StripeBilling) -> ActionRequest:
    """480.00 USD, for a year."""
    [grace] = await billing.find_by_email("grace@example.com")
    charge = (await billing.picture(grace.id)).charges[0]
    return ActionRequest(
        kind="refund",
        ground="within_window",
        customer=grace.id,
        target=charge.id,
        amount=charge.refundable,
        refundable=charge.refundable,
        disputed=False,
        charged_at=charge.created,
        interval="year",
    )
