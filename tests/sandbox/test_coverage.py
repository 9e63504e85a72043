"""The sandbox invents nothing: every route is a call of the pinned SDK, every parameter one that it can send."""

import pytest

from sandbox.stripe.resource import Route
from sandbox.stripe.resources import REGISTRY
from scripts.stripe_coverage import coverage_table, sdk_calls, shape


@pytest.mark.parametrize("route", REGISTRY.routes(), ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_a_call_of_the_sdk_with_parameters_that_it_sends(route: Route) -> None:
    calls = [call for call in sdk_calls() if (call.method, shape(call.path)) == (route.method, shape(route.path))]
    assert calls
    assert set() == route.fields.keys() - frozenset().union(*(call.parameters for call in calls))


def test_the_table_says_what_is_there_and_what_is_not() -> None:
    table = coverage_table()
    assert "| refunds.create | `POST /v1/refunds` |" in table
    assert "| charges.create | `POST /v1/charges` | not simulated |" in table
