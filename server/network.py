"""The network that a request comes from, for limits: one IPv4 address, or the /64 that one IPv6 customer is given.

Behind a proxy uvicorn reads the address from `X-Forwarded-For`, but only when the proxy's own address is named in
`FORWARDED_ALLOW_IPS` (default 127.0.0.1).
"""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

UNKNOWN = "unknown"
"""What has no address, as on a Unix socket: it shares one limit."""


def network_of(connection: HTTPConnection) -> str:
    host = connection.client.host if connection.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return UNKNOWN
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)


async def _of_request(request: Request) -> str:
    return network_of(request)


Network = Annotated[str, Depends(_of_request)]
