"""The billing portal's page: the card, the subscriptions and the invoices of one customer, each to be acted on.

A session with a flow shows that one task first, and goes where the flow says once it is done.
"""

from collections.abc import Callable, Iterator
from html import escape
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.stripe import timeline
from sandbox.stripe.errors import Json, StripeFailure
from sandbox.stripe.hosted.layout import (
    PRIVATE,
    Conclude,
    back_to,
    choices,
    day,
    facts,
    form,
    page,
    read_form,
    said,
    sorry,
)
from sandbox.stripe.money import shown
from sandbox.stripe.resources import changing, collecting, frozen, portal, subscribing
from sandbox.stripe.resources.payment_methods import attach, card, cards_to_choose
from sandbox.stripe.world import World, public

MESSAGES = {
    "card": ("Your card has been changed.", True),
    "cancel": ("Your subscription will end with the current period.", True),
    "keep": ("Your subscription goes on.", True),
    "update": ("Your subscription has been changed.", True),
    "refused": ("That is not possible now. Nothing was changed.", False),
}
EXPIRED = "This link has expired. Ask for a new one."
Answer = dict[str, str]
INVOICES_SHOWN = 12
MOST_SEATS = 999
DONE = {
    "card": "payment_method_update",
    "cancel": "subscription_cancel",
    "update": "subscription_update",
    "confirm": "subscription_update_confirm",
}
"""Form to the flow that it completes."""


class PortalPages:
    def __init__(self, world: World, conclude: Conclude) -> None:
        self.world, self.conclude = world, conclude
        self.acts: dict[str, Callable[[Json, Answer], None]] = {
            "card": self._swap_card,
            "cancel": self._cancel,
            "keep": self._keep,
            "update": self._change_seats,
            "confirm": self._confirm,
        }

    def routes(self) -> list[Route]:
        return [
            Route("/_sandbox/portal/{token}", self._show),
            Route("/_sandbox/portal/{token}/{act}", self._act, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        timeline.run_due(self.world)
        session = portal.session_by_token(self.world, request.path_params["token"])
        if session is None:
            return sorry("Link expired", EXPIRED, 404)
        message = MESSAGES.get(request.query_params.get("said", ""))
        if request.query_params.get("done") and (words := _confirmation(session)):
            message = (words, True)
        flow = session["flow"] if not request.query_params.get("said") else None
        return page("Billing", said(message) + self._body(session, flow))

    async def _act(self, request: Request) -> Response:
        answer = await read_form(request)
        timeline.run_due(self.world)
        session = portal.session_by_token(self.world, request.path_params["token"])
        act = request.path_params["act"]
        if session is None or act not in self.acts:
            return sorry("Link expired", EXPIRED, 404)
        here = f"/_sandbox/portal/{session['_token']}"
        try:
            with frozen.time_of(self.world, session), self.world.whole():
                self.acts[act](session, answer)
        except StripeFailure:
            return back_to(f"{here}?said=refused")
        self.conclude(request)
        return _after(session, act) or back_to(f"{here}?said={'update' if act == 'confirm' else act}&done=1")

    def _swap_card(self, session: Json, answer: Answer) -> None:
        """The new card becomes the default, also of subscriptions that had one of their own."""
        world, token = self.world, answer.get("card", "")
        if token not in dict(cards_to_choose()):
            raise StripeFailure("No such card", param="card")
        customer = self._customer(session)
        before = public(customer)
        method = attach(world, card(world, token, name=customer["name"], email=customer["email"]), customer)
        customer["invoice_settings"] = customer["invoice_settings"] | {"default_payment_method": method["id"]}
        world.emit("customer.updated", customer, before)
        for subscription in self._subscriptions(session):
            if subscription["default_payment_method"]:
                changing.change(world, subscription, {"default_payment_method": method["id"]})

    def _cancel(self, session: Json, answer: Answer) -> None:
        reason = answer.get("feedback", "")
        details = {"cancellation_details": {"feedback": reason}} if reason in portal.REASONS else {}
        changing.change(self.world, self._chosen(session, answer), {"cancel_at_period_end": True} | details)

    def _keep(self, session: Json, answer: Answer) -> None:
        changing.change(self.world, self._chosen(session, answer), {"cancel_at_period_end": False})

    def _change_seats(self, session: Json, answer: Answer) -> None:
        subscription, wanted = self._chosen(session, answer), answer.get("quantity", "")
        if not (wanted.isascii() and wanted.isdecimal() and 1 <= int(wanted) <= MOST_SEATS):
            raise StripeFailure("Not a number of seats", param="quantity")
        item = subscription["items"]["data"][0]["id"]
        changing.change(self.world, subscription, {"items": [{"id": item, "quantity": int(wanted)}]})

    def _confirm(self, session: Json, _answer: Answer) -> None:
        wanted = (session["flow"] or {}).get("subscription_update_confirm")
        if not wanted:
            raise StripeFailure("Nothing to confirm")
        subscription = self.world.get("subscription", wanted["subscription"])
        items = [{name: value for name, value in each.items() if value is not None} for each in wanted["items"]]
        changing.change(self.world, subscription, {"items": items})

    def _chosen(self, session: Json, answer: Answer) -> Json:
        """One of the customer's own; a form can name anything."""
        wanted = answer.get("subscription")
        for subscription in self._subscriptions(session):
            if subscription["id"] == wanted:
                return subscription
        raise StripeFailure("No such subscription", param="subscription")

    def _customer(self, session: Json) -> Json:
        return self.world.get("customer", session["customer"])

    def _subscriptions(self, session: Json) -> list[Json]:
        theirs = self.world.of("subscription", "customer", session["customer"])
        return [each for each in theirs if each["status"] not in collecting.ENDED]

    def _body(self, session: Json, flow: Json | None) -> str:
        customer = self._customer(session)
        owner = " · ".join(filter(None, (customer["name"], customer["email"])))
        sections = [self._card, self._plans, self._invoices]
        if flow:
            chosen = {"payment_method_update": self._card, "subscription_update_confirm": self._confirmation}
            sections = [chosen.get(flow["type"], self._plans)]
        inside = "".join(section(session) for section in sections)
        return f'<h1>Your billing</h1><p class="soft">{escape(owner)}</p>{inside}{_way_back(session)}'

    def _card(self, session: Json) -> str:
        default = self._customer(session)["invoice_settings"]["default_payment_method"]
        method = self.world.find("payment_method", default)
        now = f"{method['card']['brand'].capitalize()} •••• {method['card']['last4']}" if method else "none"
        expiry = f", expires {method['card']['exp_month']:02d}/{method['card']['exp_year']}" if method else ""
        return f"<h2>Card</h2><p>Charged now: <strong>{escape(now)}</strong>{escape(expiry)}</p>" + form(
            self._path(session, "card"), choices("card", cards_to_choose()), "Use this card"
        )

    def _plans(self, session: Json) -> str:
        plans = "".join(self._plan(session, each) for each in self._subscriptions(session))
        return f"<h2>Subscriptions</h2>{plans or '<p>None.</p>'}"

    def _plan(self, session: Json, subscription: Json) -> str:
        hidden = f'<input type="hidden" name="subscription" value="{escape(subscription["id"])}">'
        rows = [(what, price) for what, price in self._items(subscription)] + [_when(subscription)]
        if subscription["cancel_at"] is not None:
            return facts(rows) + form(self._path(session, "keep"), hidden, "Keep the subscription")
        item = subscription["items"]["data"][0]
        seats = (
            f'<label>Seats<input type="number" name="quantity" min="1" max="{MOST_SEATS}" '
            f'value="{item["quantity"]}" required></label>'
        )
        reasons = [("", "No answer"), *((each, each.replace("_", " ").capitalize()) for each in portal.REASONS)]
        options = "".join(f'<option value="{value}">{words}</option>' for value, words in reasons)
        asked = f'<label>Why (if you like)<select name="feedback">{options}</select></label>'
        return (
            facts(rows)
            + form(self._path(session, "update"), hidden + seats, "Change seats", quiet=True)
            + form(self._path(session, "cancel"), hidden + asked, "Cancel at the end of the period", quiet=True)
        )

    def _items(self, subscription: Json) -> Iterator[tuple[str, str]]:
        for item in subscription["items"]["data"]:
            price = item["price"]
            product = self.world.get("product", price["product"])
            amount = shown(price["unit_amount"] * item["quantity"], price["currency"])
            yield f"{item['quantity']} × {product['name']}", f"{amount} / {price['recurring']['interval']}"

    def _confirmation(self, session: Json) -> str:
        wanted = session["flow"]["subscription_update_confirm"]
        subscription = self.world.get("subscription", wanted["subscription"])
        change = wanted["items"][0]
        item = next((each for each in subscription["items"]["data"] if each["id"] == change["id"]), None)
        if item is None:
            return "<h2>Confirm the change</h2><p>This item is no longer part of your subscription.</p>"
        price = self.world.find("price", change["price"]) or item["price"]
        after = item | {"price": price, "quantity": change["quantity"] or item["quantity"]}
        (old,), (new,) = (list(self._items({"items": {"data": [each]}})) for each in (item, after))
        rows = [("Now", f"{old[0]}, {old[1]}"), ("Afterwards", f"{new[0]}, {new[1]}")]
        return "<h2>Confirm the change</h2>" + facts(rows) + form(self._path(session, "confirm"), "", "Confirm")

    def _invoices(self, session: Json) -> str:
        theirs = [each for each in self.world.of("invoice", "customer", session["customer"]) if each["_token"]]
        rows = "".join(_row(each) for each in theirs[:INVOICES_SHOWN])
        head = '<th scope="col">Invoice</th><th scope="col">Status</th><th scope="col" class="number">Total</th>'
        table = f"<table><caption>The latest first</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f"<h2>Invoices</h2>{table if rows else '<p>None.</p>'}"

    @staticmethod
    def _path(session: Json, act: str) -> str:
        return f"/_sandbox/portal/{session['_token']}/{act}"


def _row(invoice: Json) -> str:
    link = f'<a href="/_sandbox/invoices/{invoice["_token"]}">{escape(invoice["number"])}</a>'
    return (
        f'<tr><th scope="row">{link}<br><span class="soft">{day(invoice["created"])}</span></th>'
        f"<td>{escape(invoice['status'])}</td>"
        f'<td class="number">{escape(shown(invoice["total"], invoice["currency"]))}</td></tr>'
    )


def _when(subscription: Json) -> tuple[str, str]:
    if subscription["cancel_at"] is not None:
        return "Ends on", day(subscription["cancel_at"])
    if subscription["status"] == "paused":
        return "Status", "paused"
    return "Renews on", day(subscribing.period_of(subscription)[1])


def _confirmation(session: Json) -> str | None:
    after = (session["flow"] or {}).get("after_completion") or {}
    return (after.get("hosted_confirmation") or {}).get("custom_message")


def _after(session: Json, act: str) -> Response | None:
    """Back to the shop, when the flow asked for that and this form completes it."""
    flow = session["flow"] or {}
    after = flow.get("after_completion") or {}
    if after.get("type") == "redirect" and DONE.get(act) == flow["type"]:
        return RedirectResponse(after["redirect"]["return_url"], 303, PRIVATE)
    return None


def _way_back(session: Json) -> str:
    address = session["return_url"]
    if not address:
        return ""
    return f'<p><a href="{escape(address)}">Back to {escape(urlsplit(address).netloc)}</a></p>'
