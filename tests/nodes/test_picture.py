from dataclasses import replace
from unittest.mock import patch

from hypothesis import given

from nodes.picture import KEPT, bounded, from_json, to_json
from tests.tools.billing.make import NOW, charge, credit_note, dispute, invoice, line, picture, subscription, usd
from tests.tools.billing.test_duplicate_laws import INVOICES, charges
from tools.billing.analysis import find_duplicates
from tools.billing.types import BillingPicture, Charge, Payment

DISPUTE = dispute("needs_response", due_by=NOW)
NOTE = credit_note(invoice="in_a")
PAID = Payment(id="inpay_1", kind="out_of_band", amount=usd(4900), status="paid", at=NOW)
PLAN = subscription()


def test_a_picture_comes_back_from_the_state_as_it_was() -> None:
    seen = replace(
        picture(
            charge("a", disputed=True, disputes=(DISPUTE,)),
            invoices=(invoice("a", line(), payments=(PAID,), credited=usd(500)),),
        ),
        disputes=(DISPUTE,),
        credit_notes=(NOTE,),
        complete=False,
    )

    assert from_json(to_json(seen)) == seen


def test_every_list_in_the_state_is_bounded() -> None:
    many = KEPT + 5
    seen = replace(
        picture(*(charge(str(number), minutes=-number * 60 * 24 * 30) for number in range(many))),
        disputes=(DISPUTE,) * many,
        credit_notes=(NOTE,) * many,
    )

    kept = from_json(to_json(seen))

    assert {KEPT} == {len(kept.charges), len(kept.disputes), len(kept.credit_notes)}


def findings(seen: BillingPicture) -> list[tuple[str, str, str]]:
    return [(pair.earlier.id, pair.later.id, pair.sign) for pair in find_duplicates(seen)]


@given(made=charges())
def test_what_is_cut_off_neither_makes_nor_hides_a_duplicate(made: tuple[Charge, ...]) -> None:
    newest_first = sorted(made, key=lambda each: each.created, reverse=True)
    whole = picture(*newest_first, invoices=INVOICES)

    with patch("nodes.picture.KEPT", 2):
        kept = bounded(whole)

    assert findings(whole) == findings(kept)


def test_what_is_owed_and_what_runs_is_kept_however_old_it_is() -> None:
    paid = tuple(invoice(str(number), line()) for number in range(KEPT))
    owed = invoice("owed", line(), status="open", remaining=usd(4900))
    over = tuple(replace(PLAN, id=f"sub_{number}", status="canceled") for number in range(KEPT))
    whole = replace(picture(invoices=(*paid, owed)), subscriptions=(*over, PLAN))

    kept = bounded(whole)

    assert (owed, PLAN) == (kept.invoices[-1], kept.subscriptions[-1])
