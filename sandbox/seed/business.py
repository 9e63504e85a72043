"""Companies: large amounts, reverse charge, bank transfers, strange names."""

from sandbox.seed.gardener import DAY, Gardener, Situations
from sandbox.stripe.resources import paying
from sandbox.stripe.resources.periods import add_months


def big_spender(garden: Gardener) -> None:
    """Meridian Robotics: an annual plan of 18,000.00 less 10 % in its sixth month; two seats of a training refunded."""
    address = {"line1": "500 Innovation Way", "city": "Austin", "state": "TX", "postal_code": "78701", "country": "US"}
    with garden.at(add_months(garden.days_ago(17, 15, 0), -5)):
        meridian = garden.customer(
            "Meridian Robotics, Inc.", "ap@example.com", card="pm_card_amex", address=address, phone="+15125550170"
        )
        yearly = garden.price("Enterprise Plus", 1_800_000, interval="year")
        negotiated = garden.coupon("Framework agreement", 10)
        garden.subscribe(meridian, yearly, metadata={"po_number": "MR-20417"}, reductions=[negotiated])
    with garden.at(garden.days_ago(20, 15, 22)):
        training = garden.bill_and_collect(meridian, 640_000, "Team training, 16 people", metadata={"po": "MR-20933"})
    for days in (12, 9):
        with garden.at(garden.days_ago(days, 16, 37)):
            garden.refund(training, 40_000, metadata={"note": "one participant less"})


def reverse_charge(garden: Gardener) -> None:
    """Hanse Datenwerke: no VAT by reverse charge, quarterly invoices paid by bank transfer, outside Stripe."""
    address = {"line1": "Speicherstadt 4", "city": "Hamburg", "postal_code": "20457", "country": "DE"}
    with garden.at(add_months(garden.days_ago(24, 7, 30), -9)):
        hanse = garden.customer(
            "Hanse Datenwerke GmbH",
            "accounts@example.com",
            card=None,
            address=address,
            tax_exempt="reverse",
            preferred_locales=["de"],
            invoice_settings={"footer": "Reverse charge: VAT is owed by the recipient."},
            metadata={"vat_id": "DE000000000"},
        )
        price = garden.price("Business, 20 seats", 240_000, "eur", interval_count=3)
        subscription = garden.subscribe(hanse, price, collection_method="send_invoice", days_until_due=30)
    for days_to_pay in (19, 27, 22, 15):
        invoice = garden.world.get("invoice", subscription["latest_invoice"])
        with garden.at(invoice["created"] + days_to_pay * DAY):
            paying.pay_out_of_band(garden.world, invoice)
        garden.renew(subscription)


SITUATIONS: Situations = {
    big_spender: "Please refund the whole team training",
    reverse_charge: "Refund the last invoice to our bank account",
}
