"""Other countries: currencies with no or three decimals, tax on top."""

from sandbox.seed.gardener import Gardener, Situations
from sandbox.stripe.resources import catalog
from sandbox.stripe.resources.periods import add_months


def yen(garden: Gardener) -> None:
    """Yuki: pays 4,900 yen a month, a currency without decimals."""
    address = {"line1": "3-1 Chuo", "city": "Sendai", "postal_code": "980-0021", "country": "JP"}
    with garden.at(add_months(garden.days_ago(6), -4)):
        yuki = garden.customer("Yuki Tanaka", "yuki@example.com", card="pm_card_jcb", address=address)
        subscription = garden.subscribe(yuki, garden.price("Team Japan", 4900, "jpy"))
    garden.renew_until_now(subscription)


def dinars(garden: Gardener) -> None:
    """Fatima: pays 15.250 Kuwaiti dinars a month, a currency with three decimals."""
    with garden.at(add_months(garden.days_ago(6), -2)):
        fatima = garden.customer("Fatima Al-Sabah", "fatima@example.com", preferred_locales=["ar", "en"])
        subscription = garden.subscribe(fatima, garden.price("Team Kuwait", 15_250, "kwd"))
    garden.renew_until_now(subscription)


def value_added_tax(garden: Gardener) -> None:
    """Margaret: an invoice in euros with 20 % VAT on top of 100.00."""
    with garden.at(garden.days_ago(13)):
        address = {"city": "Vienna", "country": "AT", "line1": "Ring 1", "postal_code": "1010"}
        margaret = garden.customer("Margaret Hale", "margaret@example.com", address=address)
        rate = catalog.create_tax_rate(garden.world, 20.0, "VAT", country="AT", tax_type="vat")
        garden.bill_and_collect(margaret, 10_000, "Consulting, one day", "eur", tax_rates=[rate["id"]])


SITUATIONS: Situations = {
    yen: "What did I pay last month?",
    dinars: "I want a refund of 5.120 dinars",
    value_added_tax: "What was the charge of 120.00?",
}
