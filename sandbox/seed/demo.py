"""The demo's customers: one for every billing situation that support meets. Dates count back from now."""

from sandbox.seed import oddities
from sandbox.seed.gardener import HOUR, MINUTE, Gardener
from sandbox.stripe.resources import customers, disputes, invoicing, subscribing
from sandbox.stripe.resources.periods import add_months
from sandbox.stripe.world import World

TEAM, BUSINESS_YEARLY, SEAT = 4900, 48000, 1200


def plant(world: World) -> None:
    garden = Gardener(world)
    for situation in (
        charged_twice,
        annual_plan,
        overdue,
        seat_added,
        known_by_phone,
        shared_address,
        mixed_case_address,
        two_seats,
        half_refunded,
        fully_refunded,
        open_dispute,
        credit_balance,
        *oddities.SITUATIONS,
    ):
        situation(garden)


def charged_twice(garden: Gardener) -> None:
    """Ada: this month's Team plan went through twice, three minutes apart; an invoice explains only the first."""
    latest = garden.this_month(4)
    start = add_months(latest, -5)
    with garden.at(start - HOUR):
        ada = garden.customer("Ada Byron", "ada@example.com")
    with garden.at(start):
        subscription = garden.subscribe(ada, garden.price("Team", TEAM))
    garden.renew_until_now(subscription)
    invoice = garden.world.get("invoice", subscription["latest_invoice"])
    charge = garden.charge_of(invoice)
    with garden.at(charge["created"] + 3 * MINUTE):
        garden.charge(ada, TEAM, "usd", charge["description"])


def annual_plan(garden: Gardener) -> None:
    """Grace: first annual charge nine days ago, above what is refunded without a person."""
    with garden.at(garden.days_ago(9)):
        grace = garden.customer("Grace Hopper", "grace@example.com", card="pm_card_mastercard")
        garden.subscribe(grace, garden.price("Business", BUSINESS_YEARLY, interval="year"))


def overdue(garden: Gardener) -> None:
    """Linus: an invoice of 1,200.00 was due five days ago and nothing has been paid."""
    with garden.at(garden.days_ago(35)):
        linus = garden.customer("Linus Pauling", "linus@example.com", card=None)
        price = garden.price("Enterprise", 120_000, interval="year")
        subscription = garden.subscribe(linus, price, collection_method="send_invoice", days_until_due=30)
    with garden.at(garden.days_ago(5)):
        subscription["status"] = "past_due"
        linus["delinquent"] = True
        garden.world.emit("invoice.overdue", garden.world.get("invoice", subscription["latest_invoice"]))


def seat_added(garden: Gardener) -> None:
    """Alan: a fourth seat in the middle of last month makes this month's invoice higher."""
    latest = garden.this_month(6)
    with garden.at(add_months(latest, -3)):
        alan = garden.customer("Alan Turing", "alan@example.com", card="pm_card_amex")
        subscription = garden.subscribe(alan, garden.price("Seat", SEAT), quantity=3)
    for _ in range(2):
        with garden.at(subscribing.period_of(subscription)[1]):
            subscribing.renew(garden.world, subscription)
    item = subscription["items"]["data"][0]
    with garden.at(sum(subscribing.period_of(subscription)) // 2):
        subscribing.prorate(garden.world, subscription, item, sign=-1)
        item["quantity"] = 4
        subscribing.prorate(garden.world, subscription, item, sign=1)
    garden.renew_until_now(subscription)


def known_by_phone(garden: Gardener) -> None:
    with garden.at(garden.days_ago(70)):
        katherine = garden.customer("Katherine Johnson", "katherine@example.com", phone="+12025550123")
        subscription = garden.subscribe(katherine, garden.price("Starter", 1900))
    garden.renew_until_now(subscription)


def shared_address(garden: Gardener) -> None:
    """Two people, one e-mail address: never pick the first."""
    for name, days, amount in (("Sam Rivers", 50, 1900), ("Samira Rivers", 20, 2900)):
        with garden.at(garden.days_ago(days)):
            person = garden.customer(name, "sam@example.com")
            garden.bill_and_collect(person, amount, "Workshop ticket")


def mixed_case_address(garden: Gardener) -> None:
    with garden.at(garden.days_ago(12)):
        person = garden.customer("Mixed Case", "Mixed.Case@Example.com")
        garden.subscribe(person, garden.price("Starter", 1900))


def two_seats(garden: Gardener) -> None:
    """Barbara: two subscriptions of the same amount on the same day, both hers and both meant."""
    moment = garden.this_month(8)
    price = garden.price("Seat Plus", 2500)
    with garden.at(moment):
        barbara = garden.customer("Barbara Liskov", "barbara@example.com")
        garden.subscribe(barbara, price, metadata={"seat": "barbara"}, description="Seat for Barbara")
    with garden.at(min(moment + 2 * HOUR, garden.now)):
        garden.subscribe(barbara, price, metadata={"seat": "assistant"}, description="Seat for her assistant")


def half_refunded(garden: Gardener) -> None:
    with garden.at(garden.days_ago(15)):
        dorothy = garden.customer("Dorothy Vaughan", "dorothy@example.com")
        invoice = garden.bill_and_collect(dorothy, 8000, "Onboarding session")
    with garden.at(garden.days_ago(11)):
        garden.refund(invoice, 4000)


def fully_refunded(garden: Gardener) -> None:
    with garden.at(garden.days_ago(14)):
        edsger = garden.customer("Edsger Dijkstra", "edsger@example.com")
        invoice = garden.bill_and_collect(edsger, 3500, "Proof reading")
    with garden.at(garden.days_ago(10)):
        garden.refund(invoice)


def open_dispute(garden: Gardener) -> None:
    with garden.at(garden.days_ago(18)):
        donald = garden.customer("Donald Knuth", "donald@example.com")
        invoice = garden.bill_and_collect(donald, 6400, "Typesetting, one volume")
    with garden.at(garden.days_ago(3)):
        disputes.open_dispute(garden.world, garden.charge_of(invoice), reason="product_not_received")


def credit_balance(garden: Gardener) -> None:
    """Hedy: 20.00 of credit, 15.00 of it used by the last invoice."""
    with garden.at(garden.days_ago(25)):
        hedy = garden.customer("Hedy Lamarr", "hedy@example.com")
        customers.adjust_balance(garden.world, hedy, -2000, "usd", description="Goodwill credit")
    with garden.at(garden.days_ago(7)):
        invoicing.finalize(garden.world, garden.bill(hedy, 1500, "Frequency report"))
