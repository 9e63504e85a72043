"""Payments that a bank has asked about or taken back."""

from sandbox.seed.gardener import DAY, Gardener, Situations
from sandbox.stripe.resources import disputes, subscribing
from sandbox.stripe.resources.periods import add_months


def open_dispute(garden: Gardener) -> None:
    """Donald: told his bank that nothing was delivered; the chargeback is open and nothing may be refunded."""
    with garden.at(garden.days_ago(18)):
        donald = garden.customer("Donald Knox", "donald@example.com")
        invoice = garden.bill_and_collect(donald, 6400, "Training day, self-paced")
    with garden.at(garden.days_ago(3)):
        disputes.open_dispute(garden.world, garden.charge_of(invoice), reason="product_not_received")


def inquiry(garden: Gardener) -> None:
    """Yaroslava: her bank only asks what the last charge was; no money has moved and a refund is still possible."""
    address = {"line1": "Chreshchatyk 22", "city": "Kyiv", "postal_code": "01001", "country": "UA"}
    with garden.at(add_months(garden.days_ago(16, 8, 55), -2)):
        yaroslava = garden.customer("Ярослава Коваленко", "yaroslava@example.com", address=address)
        subscription = garden.subscribe(yaroslava, garden.price("Starter", 1700, "eur"))
    garden.renew_until(garden.days_ago(29, 17, 34), subscription)
    with garden.at(garden.days_ago(29, 17, 34)):
        garden.bill_and_collect(yaroslava, 2400, "Data export, 12 months", "eur")
    garden.renew_until_now(subscription)
    with garden.at(garden.days_ago(4, 10, 20)):
        charge = garden.latest_charge(subscription)
        disputes.open_dispute(garden.world, charge, status="warning_needs_response", reason="unrecognized")


def lost_dispute(garden: Gardener) -> None:
    """Konrad: a chargeback that his bank decided for him; the money is gone and cannot be refunded again."""
    address = {"line1": "Methfesselstraße 7", "city": "Berlin", "postal_code": "10965", "country": "DE"}
    with garden.at(garden.days_ago(190, 18, 33)):
        konrad = garden.customer("Konrad Zuse", "konrad@example.com", card="pm_card_mastercard", address=address)
        subscription = garden.subscribe(konrad, garden.price("Team", 4500, "eur"))
    garden.renew(subscription, times=2)
    with garden.at(garden.days_ago(112, 9, 2)):
        dispute = disputes.open_dispute(garden.world, garden.latest_charge(subscription), reason="fraudulent")
        garden.do("DELETE /v1/subscriptions/{id}", subscription)
    with garden.at(garden.days_ago(106, 14, 40)):
        disputes.move_dispute(garden.world, dispute, "under_review")
    with garden.at(garden.days_ago(45, 4, 0)):
        disputes.move_dispute(garden.world, dispute, "lost")


def won_dispute(garden: Gardener) -> None:
    """Ida: her bank decided a chargeback for us; she stayed a customer, and that charge can be refunded again."""
    with garden.at(garden.days_ago(233, 15, 26)):
        ida = garden.customer("Ida Rhodes", "ida@example.com", card="pm_card_amex")
        subscription = garden.subscribe(ida, garden.price("Seat", 1200), quantity=2)
    garden.renew(subscription, times=2)
    with garden.at(subscribing.period_of(subscription)[1] - 8 * DAY):
        garden.change(subscription, quantity=5)
    garden.renew(subscription)
    with garden.at(garden.days_ago(121, 9, 2)):
        dispute = disputes.open_dispute(garden.world, garden.latest_charge(subscription), reason="duplicate")
    with garden.at(garden.days_ago(115, 16, 31)):
        disputes.move_dispute(garden.world, dispute, "under_review")
    with garden.at(garden.days_ago(41, 4, 0)):
        disputes.move_dispute(garden.world, dispute, "won")
    garden.renew_until_now(subscription)


SITUATIONS: Situations = {
    open_dispute: "I want my money back for the training day",
    inquiry: "What is this charge of 17.00?",
    lost_dispute: "I want a refund of my last charge",
    won_dispute: "What happened to my chargeback?",
}
