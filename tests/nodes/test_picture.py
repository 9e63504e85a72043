from dataclasses import replace

from nodes.picture import KEPT, from_json, to_json
from tests.tools.billing.make import NOW, charge, invoice, line, picture, usd
from tools.billing.types import CreditNote, Dispute, Payment

DISPUTE = Dispute(
    id="du_1",
    charge="ch_a",
    status="needs_response",
    reason="fraudulent",
    amount=usd(4900),
    created=NOW,
    due_by=NOW,
    refundable=False,
)
NOTE = CreditNote(
    id="cn_1",
    number="CF-1-CN-01",
    invoice="in_a",
    amount=usd(500),
    reason="order_change",
    status="issued",
    created=NOW,
    refunds=("re_1",),
)
PAID = Payment(id="inpay_1", kind="out_of_band", amount=usd(4900), status="paid", at=NOW)


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
        picture(*(charge(str(number)) for number in range(many))),
        disputes=(DISPUTE,) * many,
        credit_notes=(NOTE,) * many,
    )

    kept = from_json(to_json(seen))

    assert {KEPT} == {len(kept.charges), len(kept.disputes), len(kept.credit_notes)}
    assert not kept.complete
