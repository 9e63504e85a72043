"""Invoices and how they were paid: late, in parts, twice, at the second attempt, not at all."""

from sandbox.seed.gardener import DAY, HOUR, Gardener, Situations
from sandbox.stripe.resources import customers, invoicing
from sandbox.stripe.resources.periods import add_months

LONG_LIST = 120


def overdue(garden: Gardener) -> None:
    """Linus: an invoice of 1,200.00 was due five days ago and nothing has been paid."""
    with garden.at(garden.days_ago(35)):
        linus = garden.customer("Linus Pauling", "linus@example.com", card=None)
        price = garden.price("Enterprise", 120_000, interval="year")
        garden.subscribe(linus, price, collection_method="send_invoice", days_until_due=30)


def credit_balance(garden: Gardener) -> None:
    """Hedy: 20.00 of goodwill credit, of which her last invoice used 15.00."""
    with garden.at(garden.days_ago(25)):
        hedy = garden.customer("Hedy Lamarr", "hedy@example.com")
        customers.adjust_balance(garden.world, hedy, -2000, "usd", description="Goodwill credit")
    with garden.at(garden.days_ago(7)):
        invoicing.finalize(garden.world, garden.bill(hedy, 1500, "Frequency report"))


def unusual_invoices(garden: Gardener) -> None:
    """Tim: one draft, one void, one uncollectible and one invoice of nothing."""
    with garden.at(garden.days_ago(40)):
        tim = garden.customer("Tim Tester", "tim@example.com")
        uncollectible = garden.bill(tim, 7000, "Hosting, lost case")
        void = garden.bill(tim, 3000, "Hosting, made in error")
        for invoice in (uncollectible, void, garden.bill(tim, 0, "Free trial")):
            invoicing.finalize(garden.world, invoice)
    with garden.at(garden.days_ago(30)):
        garden.do("POST /v1/invoices/{id}/void", void)
        garden.do("POST /v1/invoices/{id}/mark_uncollectible", uncollectible)
    with garden.at(garden.days_ago(2)):
        garden.bill(tim, 1500, "Hosting, not final", auto_advance=False)


def overpaid(garden: Gardener) -> None:
    """Grete: paid half of an invoice of 240.00 and then all of it, so 120.00 are too much."""
    address = {"line1": "Rämistrasse 101", "city": "Zürich", "postal_code": "8092", "country": "CH"}
    with garden.at(garden.days_ago(21, 9, 12)):
        grete = garden.customer("Grete Hermann", "grete@example.com", address=address, preferred_locales=["de-CH"])
        invoice = garden.bill(grete, 24_000, "Onboarding, two sessions", "chf", **garden.sent(14))
        invoicing.finalize(garden.world, invoice)
    for days, amount in ((17, 12_000), (10, 24_000)):
        with garden.at(garden.days_ago(days, 18, 5)):
            garden.pay_towards(invoice, amount)


def three_instalments(garden: Gardener) -> None:
    """Maurice: paid an invoice of 900.00 in three instalments of 300.00, which only look like three charges."""
    address = {"line1": "4 Free School Lane", "city": "Cambridge", "postal_code": "CB2 3RF", "country": "GB"}
    with garden.at(garden.days_ago(72, 10, 0)):
        maurice = garden.customer("Maurice Wilkes", "maurice@example.com", address=address)
        invoice = garden.bill(maurice, 90_000, "Data migration, 40,000 records", "gbp", **garden.sent(30))
        invoicing.finalize(garden.world, invoice)
    for days in (70, 40, 10):
        with garden.at(garden.days_ago(days, 12, 15)):
            garden.pay_towards(invoice, 30_000)


def paid_on_retry(garden: Gardener) -> None:
    """Maryam: her latest renewal was declined and paid with another card two days later; her bank shows both."""
    address = {"line1": "Corniche Road 5", "city": "Abu Dhabi", "country": "AE"}
    with garden.at(add_months(garden.days_ago(5, 5, 45), -8)):
        maryam = garden.customer("مريم الهاشمي", "maryam@example.com", address=address, preferred_locales=["ar"])
        subscription = garden.subscribe(maryam, garden.price("Team", 17_900, "aed"))
    garden.renew(subscription, times=7)
    with garden.at(garden.days_ago(12, 7, 3)):
        garden.add_card(maryam, "pm_card_chargeDeclinedInsufficientFunds")
    garden.renew_until_now(subscription)
    with garden.at(garden.days_ago(2, 16, 20)):
        garden.add_card(maryam, "pm_card_mastercard")
        garden.do("POST /v1/invoices/{id}/pay", garden.world.get("invoice", subscription["latest_invoice"]))


def long_history(garden: Gardener) -> None:
    """Annie: 120 weekly invoices, more than a page of anything."""
    first = garden.now - LONG_LIST * 7 * DAY
    with garden.at(first):
        annie = garden.customer("Annie Easley", "annie@example.com")
    for week in range(LONG_LIST):
        with garden.at(first + week * 7 * DAY + HOUR):
            garden.bill_and_collect(annie, 500 + week, f"Usage, week {week + 1}")


def gone(garden: Gardener) -> None:
    """Walter: asked to be deleted two months ago; his invoices live on, he is found by nobody."""
    with garden.at(garden.days_ago(175, 9, 40)):
        walter = garden.customer("Walter Gone", "walter@example.com", card="pm_card_visa_debit")
        garden.bill_and_collect(walter, 1900, "Starter, one month")
    with garden.at(garden.days_ago(140, 11, 18)):
        garden.bill_and_collect(walter, 3500, "Template review")
    with garden.at(garden.days_ago(61, 15, 55)):
        garden.do("DELETE /v1/customers/{id}", walter)


SITUATIONS: Situations = {
    overdue: "I can't pay the open invoice at once, can I pay in 3 parts?",
    credit_balance: "How much credit do I have left?",
    unusual_invoices: "Show me my invoices",
    overpaid: "I paid more than my onboarding invoice asked for",
    three_instalments: "Why did you charge me 300.00 three times?",
    paid_on_retry: "Why was my card declined, and why are there two charges?",
    long_history: "Show me my last invoices",
    gone: "Show me my invoices",
}
