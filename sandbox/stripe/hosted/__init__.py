"""The pages that Stripe would host: an invoice to read and pay, and the billing portal.

Each lies behind an unguessable link, which is the only key to it. Forms do what the API does, events included.
"""

from starlette.routing import Route

from sandbox.stripe.hosted.invoice_page import InvoicePages
from sandbox.stripe.hosted.layout import Conclude, serve_style
from sandbox.stripe.hosted.portal_page import PortalPages
from sandbox.stripe.world import World


def routes(world: World, conclude: Conclude) -> list[Route]:
    """`conclude` is called when a page has done something."""
    return [
        Route("/_sandbox/style.css", serve_style),
        *InvoicePages(world, conclude).routes(),
        *PortalPages(world, conclude).routes(),
    ]
