"""The network that a request counts for."""

import pytest
from starlette.requests import HTTPConnection

from server.network import UNKNOWN, network_of


@pytest.mark.parametrize(
    ("client", "network"),
    [
        (("203.0.113.9", 4711), "203.0.113.9"),
        (("2001:db8:1:2:3:4:5:6", 4711), "2001:db8:1:2::/64"),
        (("2001:db8:1:2:ffff::1", 1), "2001:db8:1:2::/64"),
        (("::ffff:203.0.113.9", 4711), "203.0.113.9"),
        (("testclient", 50000), UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_neighbours_in_one_customers_network_count_together(client: tuple[str, int] | None, network: str) -> None:
    assert network_of(HTTPConnection({"type": "http", "client": client})) == network
