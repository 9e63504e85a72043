"""What happens to customers: errors to be found, honest look-alikes, and cases that nobody can tell from data."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from tests.tools.billing.histories import MONTH, Book, Kinds, Plant, Verdict
from tools.billing.types import Charge
from tools.money import Money

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Twice = tuple[Charge, ...]


def clicked_twice(book: Book) -> Twice:
    amount, moment, text = book.price(), book.day(), book.thing()
    book.charge(amount, moment, description=text)
    return (book.charge(amount, book.after(moment, 50 * MINUTE), description=text),)


def clicked_twice_without_a_word(book: Book) -> Twice:
    amount, moment = book.price(), book.day()
    book.charge(amount, moment, description="")
    return (book.charge(amount, book.after(moment, 9 * MINUTE), description=""),)


def clicked_thrice(book: Book) -> Twice:
    amount, moment, text = book.price(), book.day(), book.thing()
    book.charge(amount, moment, description=text)
    return tuple(book.charge(amount, moment + n * book.rng.uniform(1, 20) * MINUTE, description=text) for n in (1, 2))


def renewal_charged_again(book: Book) -> Twice:
    """Like Ada's: the invoice explains one of the two."""
    *_, last = book.renewals("Team", book.day(), book.price(), 5, book.fresh("sub"))
    return (book.charge(last.amount, book.after(last.created, 23 * HOUR)),)


def invoice_paid_twice(book: Book) -> Twice:
    moment = book.day()
    invoice, first = book.paid_invoice(book.item(book.thing(), book.price(), moment), created=moment)
    card = book.rng.choice([book.card, book.other_card()])
    later = book.after(moment, 9 * DAY)
    return (book.charge(first.amount, later, invoice=invoice.id, card=card, description="Bank app"),)


def one_instalment_too_many(book: Book) -> Twice:
    moment, part = book.day(), book.price()
    whole = Money(part.amount * 3, part.currency)
    invoice = book.invoice(book.item("Annual plan", whole, moment), created=moment, overpaid=part)
    paid = [book.charge(part, moment + n * 7 * DAY, invoice=invoice.id) for n in range(4)]
    return (paid[-1],)


def order_charged_again(book: Book) -> Twice:
    amount, moment, order = book.price(), book.day(), book.fresh("order")
    book.charge(amount, moment, order_id=order, description="Checkout")
    later = book.after(moment, 3 * DAY)
    return (book.charge(amount, later, order_id=order, description="Checkout, repeated"),)


def period_invoiced_twice(book: Book) -> Twice:
    moment, amount, subscription = book.day(), book.price(), book.fresh("sub")
    line = book.plan("Business", moment, amount)
    book.paid_invoice(line, created=moment, subscription=subscription)
    later = book.after(moment, 20 * HOUR)
    return (book.paid_invoice(line, created=later, subscription=subscription)[1],)


def one_off_invoice_issued_twice(book: Book) -> Twice:
    moment, amount, text = book.day(), book.price(), book.thing()
    book.paid_invoice(book.item(text, amount, moment), created=moment)
    later = book.after(moment, 50 * MINUTE)
    return (book.paid_invoice(book.item(text, amount, later), created=later)[1],)


def monthly_plan(book: Book) -> Twice:
    list(book.renewals("Team", book.day(), book.price(), 12, book.fresh("sub")))
    return ()


def seats_as_subscriptions(book: Book) -> Twice:
    """Bought one after another on one day; they renew on the same day every month."""
    moment, amount = book.day(), book.price()
    for seat in range(book.rng.randint(2, 4)):
        list(book.renewals("Seat", moment + seat * book.rng.uniform(15, 60) * MINUTE, amount, 6, book.fresh("sub")))
    return ()


def two_plans_of_one_price(book: Book) -> Twice:
    moment, amount = book.day(), book.price()
    for name in ("Team", "Storage"):
        list(book.renewals(name, moment, amount, 6, book.fresh("sub")))
    return ()


def one_subscription_of_daily_periods(book: Book) -> Twice:
    moment, amount, subscription = book.day(), book.price(), book.fresh("sub")
    for n in range(7):
        begin = moment + n * (DAY - MINUTE)
        line = book.plan("Day pass", begin, amount, length=DAY - MINUTE)
        book.paid_invoice(line, created=begin, subscription=subscription)
    return ()


def seat_added_for_the_price_of_the_plan(book: Book) -> Twice:
    moment, amount, subscription = book.day(), book.price(), book.fresh("sub")
    book.paid_invoice(book.plan("Team", moment, amount), created=moment, subscription=subscription)
    later = book.after(moment, 5 * HOUR)
    seat = replace(book.plan("Team", moment, amount), description="Remaining time on 2 × Team", proration=True)
    book.paid_invoice(seat, created=later, subscription=subscription)
    return ()


def paid_after_declines(book: Book) -> Twice:
    moment, amount, intent = book.day(), book.price(), book.fresh("pi")
    invoice = book.invoice(book.plan("Team", moment, amount), created=moment, subscription=book.fresh("sub"))
    for attempt in range(book.rng.randint(1, 3)):
        book.decline(amount, moment + attempt * 5 * MINUTE, invoice=invoice.id, payment_intent=intent)
    book.charge(amount, moment + HOUR, invoice=invoice.id, payment_intent=intent)
    return ()


def authorisation_left_behind(book: Book) -> Twice:
    amount, moment, text = book.price(), book.day(), book.thing()
    nothing = Money(0, amount.currency)
    book.charge(amount, moment, captured=nothing, description=text)
    book.charge(amount, moment + MINUTE, captured=nothing, refunded=amount, description=text)
    book.charge(amount, moment + 2 * MINUTE, description=text)
    return ()


def captured_in_part(book: Book) -> Twice:
    amount, moment, text = book.price(), book.day(), book.thing()
    book.charge(amount, moment, captured=Money(amount.amount // 2, amount.currency), description=text)
    book.charge(amount, moment + 2 * MINUTE, description=text)
    return ()


def instalments_of_one_invoice(book: Book) -> Twice:
    moment, part = book.day(), book.price()
    invoice = book.invoice(book.item("Annual plan", Money(part.amount * 3, part.currency), moment), created=moment)
    for n in range(3):
        book.charge(part, moment + n * book.rng.choice([MINUTE, HOUR, MONTH]), invoice=invoice.id)
    return ()


def two_orders_of_one_thing(book: Book) -> Twice:
    amount, moment, text = book.price(), book.day(), book.thing()
    for n in range(2):
        book.charge(amount, moment + n * 3 * MINUTE, description=text, order_id=book.fresh("order"))
    return ()


def two_things_of_one_price(book: Book) -> Twice:
    amount, moment = book.price(), book.day()
    for n in range(2):
        book.charge(amount, moment + n * 3 * MINUTE, description=book.thing())
    return ()


def equal_weekly_usage(book: Book) -> Twice:
    moment, amount = book.day(), book.price()
    for week in range(8):
        begin = moment + week * 7 * DAY
        book.paid_invoice(book.item("Usage of the week", amount, begin), created=begin)
    return ()


def double_click_put_right(book: Book) -> Twice:
    """Already refunded, in whole or in part, whichever of the two."""
    amount, moment, text = book.price(), book.day(), book.thing()
    back = Money(amount.amount // book.rng.choice([1, 2]), amount.currency)
    refunds = [back, Money(0, amount.currency)]
    book.rng.shuffle(refunds)
    for n, refunded in enumerate(refunds):
        book.charge(amount, moment + n * MINUTE, description=text, refunded=refunded)
    return ()


def double_click_at_the_bank(book: Book) -> Twice:
    """Disputed: the bank decides, and a refund would pay it twice."""
    amount, moment, text = book.price(), book.day(), book.thing()
    disputed = book.rng.random() < 0.5
    book.charge(amount, moment, description=text, disputed=disputed)
    book.charge(amount, moment + MINUTE, description=text, disputed=not disputed)
    return ()


def stray_payment_next_to_two_subscriptions(book: Book) -> Twice:
    """One of the three is too many, not two: the stray one came first, so the next is the one to refund."""
    moment, amount = book.day(), book.price()
    book.charge(amount, moment)
    first, _ = (next(book.renewals("Seat", moment + n * 5 * MINUTE, amount, 1, book.fresh("sub"))) for n in (1, 2))
    return (first,)


def one_figure_in_two_currencies(book: Book) -> Twice:
    amount, moment, text = book.price(), book.day(), book.thing()
    book.charge(amount, moment, description=text)
    book.charge(Money(amount.amount, "chf"), moment + MINUTE, description=text)
    return ()


def two_seats_in_one_go(book: Book) -> Twice:
    return _subscribed_within_a_minute(book)


def one_form_sent_twice(book: Book) -> Twice:
    """An error, but one that leaves the very data of `two_seats_in_one_go`."""
    return _subscribed_within_a_minute(book)


def _subscribed_within_a_minute(book: Book) -> Twice:
    moment, amount = book.day(), book.price()
    gap = timedelta(seconds=book.rng.choice([0, 20]))
    for n in range(2):
        list(book.renewals("Seat", moment + n * gap, amount, 3, book.fresh("sub")))
    return ()


def bought_again_the_same_day(book: Book) -> Twice:
    amount, moment, text = book.price(), book.day(), book.thing()
    book.charge(amount, moment, description=text)
    book.charge(amount, book.after(moment, 20 * HOUR, least=2 * HOUR), description=text)
    return ()


def one_order_on_two_cards(book: Book) -> Twice:
    amount, moment, order = book.price(), book.day(), book.fresh("order")
    book.charge(amount, moment, order_id=order)
    book.charge(amount, moment + MINUTE, order_id=order, card=book.other_card())
    return ()


def invoice_out_of_sight(book: Book) -> Twice:
    amount, moment = book.price(), book.day()
    for n in range(2):
        book.charge(amount, moment + n * MINUTE, invoice=book.fresh("in"))
    return ()


def last_instalment_too_large(book: Book) -> Twice:
    """Something is to be given back, but no charge as a whole."""
    moment, part = book.day(), book.price()
    whole = Money(part.amount * 3 - 100, part.currency)
    over = Money(100, part.currency)
    invoice = book.invoice(book.item("Annual plan", whole, moment), created=moment, overpaid=over)
    for n in range(3):
        book.charge(part, moment + n * 7 * DAY, invoice=invoice.id)
    return ()


def overpaid_and_credited(book: Book) -> Twice:
    """Stripe has put the surplus on the credit balance."""
    (later,) = invoice_paid_twice(book)
    book.balance -= later.amount.amount
    return ()


DUPLICATE = (
    clicked_twice,
    clicked_twice_without_a_word,
    clicked_thrice,
    renewal_charged_again,
    invoice_paid_twice,
    one_instalment_too_many,
    order_charged_again,
    period_invoiced_twice,
    one_off_invoice_issued_twice,
    stray_payment_next_to_two_subscriptions,
)
HONEST = (
    monthly_plan,
    seats_as_subscriptions,
    two_seats_in_one_go,
    two_plans_of_one_price,
    one_subscription_of_daily_periods,
    seat_added_for_the_price_of_the_plan,
    paid_after_declines,
    authorisation_left_behind,
    captured_in_part,
    instalments_of_one_invoice,
    two_orders_of_one_thing,
    two_things_of_one_price,
    equal_weekly_usage,
    double_click_put_right,
    double_click_at_the_bank,
    one_figure_in_two_currencies,
)
DOUBTFUL = (
    one_form_sent_twice,
    bought_again_the_same_day,
    one_order_on_two_cards,
    invoice_out_of_sight,
    last_instalment_too_large,
)


def _named(verdict: Verdict, plants: Iterable[Plant]) -> Kinds:
    return {plant.__name__.replace("_", " "): (verdict, plant) for plant in plants}


KINDS = _named("duplicate", DUPLICATE) | _named("honest", HONEST) | _named("doubtful", DOUBTFUL)
# Credit casts doubt on whatever else the customer overpaid.
_OVERPAID = {invoice_paid_twice, one_instalment_too_many}
CREDITED = {name: kind for name, kind in KINDS.items() if kind[1] not in _OVERPAID} | _named(
    "doubtful", (overpaid_and_credited,)
)
