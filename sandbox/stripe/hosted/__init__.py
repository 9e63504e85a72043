"""The pages that Stripe would host: an invoice to read and pay, and the billing portal.

Each lies behind an unguessable link, which is the only key to it. Forms do what the API does, events included.
"""

from starlette.routing import Route

from sandbox.stripe.hosted.invoice_page import InvoicePages
from sandbox.stripe.hosted.layout import serve_style
from sandbox.stripe.hosted.portal_page import PortalPages
from sandbox.stripe.world import World


def routes(world: World) -> list[Route]:
    return [
        Route("/_sandbox/style.css", serve_style),
        *InvoicePages(world).routes(),
        *PortalPages(world).routes(),
    ]
