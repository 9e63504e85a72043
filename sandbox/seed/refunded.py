"""Money on its way back: in part, in full, slowly, in vain."""

from sandbox.seed.gardener import DAY, Gardener, Situations
from sandbox.stripe.resources import refunds, subscribing
from sandbox.stripe.resources.periods import add_months


def half_refunded(garden: Gardener) -> None:
    """Dorothy: half of an onboarding session has been refunded, so half is left."""
    with garden.at(garden.days_ago(15)):
        dorothy = garden.customer("Dorothy Vaughan", "dorothy@example.com")
        invoice = garden.bill_and_collect(dorothy, 8000, "Onboarding session")
    with garden.at(garden.days_ago(11)):
        garden.refund(invoice, 4000)


def fully_refunded(garden: Gardener) -> None:
    """Edsger: a template review was refunded in full; the two before it were fine."""
    with garden.at(garden.days_ago(131, 10, 4)):
        edsger = garden.customer("Edsger Dijkstra", "edsger@example.com")
        garden.bill_and_collect(edsger, 3500, "Template review")
    with garden.at(garden.days_ago(77, 15, 48)):
        garden.bill_and_collect(edsger, 5200, "Template review, two templates")
    with garden.at(garden.days_ago(14)):
        invoice = garden.bill_and_collect(edsger, 3500, "Template review")
    with garden.at(garden.days_ago(10)):
        garden.refund(invoice)


def refund_came_back(garden: Gardener) -> None:
    """Kay: her refund went to a closed card and failed four days ago; the money is back with us, not with her."""
    with garden.at(add_months(garden.days_ago(13, 20, 31), -6)):
        kay = garden.customer("Kay McNulty", "kay@example.com", card="pm_card_refundFail")
        subscription = garden.subscribe(kay, garden.price("Starter", 1900))
    garden.renew(subscription, times=3)
    with garden.at(subscribing.period_of(subscription)[0] + 11 * DAY):
        garden.add_to(subscription, garden.price("Analytics add-on", 1500))
    garden.renew_until_now(subscription)
    with garden.at(garden.days_ago(9, 13, 17)):
        garden.do("DELETE /v1/subscriptions/{id}", subscription, cancellation_details={"feedback": "unused"})
        invoice = garden.world.get("invoice", subscription["latest_invoice"])
        refund = garden.refund(invoice, settling_days=5)
    with garden.at(garden.days_ago(4, 13, 17)):
        refunds.settle_due(garden.world, refund)


def refund_pending(garden: Gardener) -> None:
    """Misaki: an onboarding session was called off; her refund of two days ago is still with the bank."""
    address = {"line1": "1-9-1 Marunouchi", "city": "Tokyo", "postal_code": "100-0005", "country": "JP"}
    with garden.at(garden.days_ago(9, 2, 10)):
        misaki = garden.customer("佐藤 美咲", "misaki@example.com", card="pm_card_pendingRefund", address=address)
        garden.subscribe(misaki, garden.price("Team", 4900, "jpy"))
    with garden.at(garden.days_ago(8, 6, 25)):
        invoice = garden.bill_and_collect(misaki, 30_000, "Onboarding session", "jpy")
    with garden.at(garden.days_ago(2, 7, 40)):
        garden.refund(invoice, settling_days=7)


def old_charge(garden: Gardener) -> None:
    """Olga: nothing newer than ninety days, so every refund window has closed."""
    with garden.at(garden.days_ago(140)):
        customer = garden.customer("Olga Oldenburg", "old@example.com")
        garden.bill_and_collect(customer, 5900, "Annual report")


SITUATIONS: Situations = {
    half_refunded: "I want the rest of my money back for the onboarding",
    fully_refunded: "Please refund the template review",
    refund_came_back: "My refund never arrived",
    refund_pending: "Where is my refund?",
    old_charge: "I want a refund for the annual report",
}
