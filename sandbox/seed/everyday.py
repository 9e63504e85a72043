"""Ordinary subscribers, and what is ordinary about being asked who one is."""

from sandbox.seed.gardener import HOUR, MINUTE, Gardener, Situations
from sandbox.stripe.resources.periods import add_months

STARTER, TEAM, SEAT_PLUS, BUSINESS_YEARLY = 1900, 4900, 2500, 48_000


def charged_twice(garden: Gardener) -> None:
    """Ada: this month's Team plan went through twice, three minutes apart; an invoice explains only the first."""
    latest = garden.this_month(4)
    start = add_months(latest, -5)
    with garden.at(start - HOUR):
        ada = garden.customer("Ada Byron", "ada@example.com")
    with garden.at(start):
        subscription = garden.subscribe(ada, garden.price("Team", TEAM))
    garden.renew_until_now(subscription)
    charge = garden.latest_charge(subscription)
    with garden.at(charge["created"] + 3 * MINUTE):
        garden.charge(ada, TEAM, "usd", charge["description"])


def annual_plan(garden: Gardener) -> None:
    """Grace: first annual charge nine days ago, above what is refunded without a person."""
    with garden.at(garden.days_ago(9)):
        grace = garden.customer("Grace Hopper", "grace@example.com", card="pm_card_mastercard")
        garden.subscribe(grace, garden.price("Business", BUSINESS_YEARLY, interval="year"))


def known_by_phone(garden: Gardener) -> None:
    """Katherine: forgets her e-mail address but knows the phone number on the account."""
    with garden.at(garden.days_ago(70)):
        katherine = garden.customer("Katherine Johnson", "katherine@example.com", phone="+12025550123")
        subscription = garden.subscribe(katherine, garden.price("Starter", STARTER))
    garden.renew_until_now(subscription)


def phone_only(garden: Gardener) -> None:
    """Joan: pays in pounds and never left an e-mail address, so her phone number is all there is."""
    address = {"line1": "8 Station Road", "city": "Milton Keynes", "postal_code": "MK3 6EB", "country": "GB"}
    with garden.at(add_months(garden.days_ago(8, 19, 42), -5)):
        joan = garden.customer("Joan Clarke", None, phone="+441632960961", address=address, preferred_locales=["en-GB"])
        subscription = garden.subscribe(joan, garden.price("Starter", 1500, "gbp"))
    garden.renew_until(garden.days_ago(64, 20, 11), subscription)
    with garden.at(garden.days_ago(64, 20, 11)):
        template = garden.bill_and_collect(joan, 2500, "Template review", "gbp")
    with garden.at(garden.days_ago(60, 13, 38)):
        garden.refund(template, 500)
    garden.renew_until_now(subscription)


def shared_address(garden: Gardener) -> None:
    """Sam and Samira: two people, one e-mail address; never pick the first."""
    for name, days, amount in (("Sam Rivers", 50, 1900), ("Samira Rivers", 20, 2900)):
        with garden.at(garden.days_ago(days)):
            person = garden.customer(name, "sam@example.com")
            garden.bill_and_collect(person, amount, "Workshop ticket")


def mixed_case_address(garden: Gardener) -> None:
    """Mixed Case: the address on file has capitals, and people type it without."""
    with garden.at(garden.days_ago(12)):
        person = garden.customer("Mixed Case", "Mixed.Case@Example.com")
        garden.subscribe(person, garden.price("Starter", STARTER))


def two_seats(garden: Gardener) -> None:
    """Barbara: two subscriptions of the same amount on the same day, both hers and both meant."""
    moment = garden.this_month(8)
    price = garden.price("Seat Plus", SEAT_PLUS)
    with garden.at(moment):
        barbara = garden.customer("Barbara Lindgard", "barbara@example.com")
        garden.subscribe(barbara, price, metadata={"seat": "barbara"}, description="Seat for Barbara")
    with garden.at(min(moment + 2 * HOUR, garden.now)):
        garden.subscribe(barbara, price, metadata={"seat": "assistant"}, description="Seat for her assistant")


def on_trial(garden: Gardener) -> None:
    """Ananya: in the fifth day of a fourteen-day trial, with a card on file that nothing has been taken from."""
    address = {"line1": "14 Residency Road", "city": "Bengaluru", "postal_code": "560025", "country": "IN"}
    with garden.at(garden.days_ago(5, 16, 8)):
        ananya = garden.customer("अनन्या राव", "ananya@example.com", card="pm_card_mastercard", address=address)
        garden.subscribe(ananya, garden.price("Team", TEAM), trial_days=14)


def authorised_and_charged(garden: Gardener) -> None:
    """Cicely: a hold of 120.00 that nobody captured looks like a second charge for her training, and drops off."""
    with garden.at(garden.days_ago(98, 11, 26)):
        cicely = garden.customer("Cicely Popplewell", "cicely@example.com", card="pm_card_visa_debit")
        garden.bill_and_collect(cicely, 3900, "Template pack, invoices")
    with garden.at(garden.days_ago(33, 17, 3)):
        garden.add_card(cicely, "pm_card_mastercard")
        garden.bill_and_collect(cicely, 5500, "Template pack, contracts")
    with garden.at(garden.days_ago(2, 13, 3)):
        garden.authorise(cicely, 12_000, "usd", "Training, one afternoon")
    with garden.at(garden.days_ago(2, 13, 9)):
        garden.bill_and_collect(cicely, 12_000, "Training, one afternoon")


SITUATIONS: Situations = {
    charged_twice: "I was charged twice this month",
    annual_plan: "I'd like a refund for the annual plan I bought last week",
    known_by_phone: "Show me my last invoices - I forgot which email I used",
    phone_only: "I don't know my email, my number is +44 1632 960961",
    shared_address: "Show me my last invoices",
    mixed_case_address: "What is my plan?",
    two_seats: "Why are there two charges of 25.00?",
    on_trial: "When does my trial end and what will I pay then?",
    authorised_and_charged: "Why was my training charged twice?",
}
