"""Requests of two demo customers: one that policy lets pass by itself, and one that a person approves."""

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.sandbox import Sandbox
from tests.fixtures.wishes import duplicate_of_ada, year_of_grace
from tools.billing.stripe_billing import StripeBilling
from tools.policy.types import ActionRequest


@pytest.fixture
async def billing(sandbox: Sandbox) -> AsyncIterator[StripeBilling]:
    async with StripeBilling.open(sandbox.api_key, sandbox.url) as opened:
        yield opened


@pytest.fixture
async def request_of_ada(billing: StripeBilling) -> ActionRequest:
    return await duplicate_of_ada(billing)


@pytest.fixture
async def request_of_grace(billing: StripeBilling) -> ActionRequest:
    return await year_of_grace(billing)
