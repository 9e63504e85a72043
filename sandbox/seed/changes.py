"""Plans that changed: seats, upgrades, downgrades, add-ons, cancellations."""

from sandbox.seed.gardener import DAY, MINUTE, Gardener, Situations
from sandbox.stripe.resources import subscribing
from sandbox.stripe.resources.periods import add_months

SEAT, TEAM = 1200, 4900


def seat_added(garden: Gardener) -> None:
    """Alan: a fourth seat in the middle of last month makes this month's invoice higher."""
    latest = garden.this_month(6)
    with garden.at(add_months(latest, -3)):
        alan = garden.customer("Alan Turing", "alan@example.com", card="pm_card_amex")
        subscription = garden.subscribe(alan, garden.price("Seat", SEAT), quantity=3)
    garden.renew(subscription, times=2)
    with garden.at(sum(subscribing.period_of(subscription)) // 2):
        garden.change(subscription, quantity=4)
    garden.renew_until_now(subscription)


def upgraded(garden: Gardener) -> None:
    """Elsa: moved from Team to Business ten days before this month's invoice, which is dearer for two reasons."""
    address = {"line1": "Storgatan 12", "city": "Uppsala", "postal_code": "753 31", "country": "SE"}
    with garden.at(add_months(garden.this_month(5), -4)):
        elsa = garden.customer("Elsa Nyström", "elsa@example.com", address=address, preferred_locales=["sv"])
        subscription = garden.subscribe(elsa, garden.price("Team", 49_900, "sek"))
    garden.renew(subscription, times=3)
    with garden.at(subscribing.period_of(subscription)[1] - 10 * DAY):
        garden.change(subscription, price=garden.price("Business monthly", 119_900, "sek")["id"])
    garden.renew_until_now(subscription)


def downgraded(garden: Gardener) -> None:
    """Nikos: went from Business back to Team in mid-period; the unused rest is credit for his next invoices."""
    address = {"line1": "Ermou 40", "city": "Athens", "postal_code": "105 63", "country": "GR"}
    with garden.at(add_months(garden.days_ago(14, 11, 5), -7)):
        nikos = garden.customer("Νίκος Παπαδάκης", "nikos@example.com", card="pm_card_visa_debit", address=address)
        garden.bill_and_collect(nikos, 15_000, "Onboarding, three sessions", "eur")
        subscription = garden.subscribe(nikos, garden.price("Business monthly", 11_900, "eur"))
    garden.renew_until_now(subscription)
    with garden.at(garden.days_ago(6, 17, 20)):
        team = garden.price("Team", 4500, "eur")
        garden.change(subscription, price=team["id"], proration_behavior="always_invoice")


def addon_on_renewal_day(garden: Gardener) -> None:
    """Beatrice: her plan renewed and two minutes later she added an add-on of the same price; both are right."""
    address = {"line1": "27 King's College Circle", "city": "Toronto", "postal_code": "M5S 1A1", "country": "CA"}
    with garden.at(add_months(garden.days_ago(7, 14, 2), -3)):
        beatrice = garden.customer("Beatrice Worsley", "beatrice@example.com", address=address)
        subscription = garden.subscribe(beatrice, garden.price("Team", 6500, "cad"))
    garden.renew_until_now(subscription)
    with garden.at(subscribing.period_of(subscription)[0] + 2 * MINUTE):
        addon = garden.price("Analytics add-on", 6500, "cad")
        garden.add_to(subscription, addon, proration_behavior="always_invoice")


def cancels_at_period_end(garden: Gardener) -> None:
    """Seo-yeon: last month was the last with a coupon; after the dearer renewal she cancelled for the period's end."""
    address = {"line1": "21 Sejong-daero", "city": "Seoul", "postal_code": "04524", "country": "KR"}
    with garden.at(add_months(garden.days_ago(6, 3, 15), -4)):
        seoyeon = garden.customer("김서연", "seoyeon@example.com", address=address, preferred_locales=["ko"])
        welcome = garden.coupon("Welcome, four months", 30, months=4)
        subscription = garden.subscribe(seoyeon, garden.price("Team", 66_000, "krw"), reductions=[welcome])
    garden.renew_until_now(subscription)
    with garden.at(garden.days_ago(1, 12, 50)):
        garden.do(
            "POST /v1/subscriptions/{id}",
            subscription,
            cancel_at_period_end=True,
            cancellation_details={"feedback": "too_expensive", "comment": "It got dearer."},
        )


def charged_after_cancelling(garden: Gardener) -> None:
    """Evelyn: cancelled with confirmation seventeen days before the renewal, and was charged for it all the same."""
    renewal = garden.days_ago(3, 6, 12)
    with garden.at(add_months(renewal, -6)):
        evelyn = garden.customer("Evelyn Granville", "evelyn@example.com", card="pm_card_mastercard")
        subscription = garden.subscribe(evelyn, garden.price("Team", TEAM))
    garden.renew(subscription, times=5)
    due = subscribing.period_of(subscription)[1]
    with garden.at(due - 17 * DAY):
        told = {"feedback": "switched_service", "comment": "Confirmed to the customer by e-mail."}
        garden.do("DELETE /v1/subscriptions/{id}", subscription, cancellation_details=told)
    with garden.at(due):
        subscribing.renew(garden.world, subscription)


SITUATIONS: Situations = {
    seat_added: "Why is this month's invoice higher than last month?",
    upgraded: "Why is my invoice so high after the upgrade?",
    downgraded: "How much credit do I have from my old plan?",
    addon_on_renewal_day: "You charged me the same amount twice on one day",
    cancels_at_period_end: "Why did I pay more this month?",
    charged_after_cancelling: "You charged me after I cancelled",
}
