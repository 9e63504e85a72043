"""Tax ids of customers: made, listed and deleted; an odd one is refused."""

import pytest
import stripe

from tests.fixtures.sandbox import Sandbox
from tests.sandbox.shapes import misfits


def test_a_tax_id_is_made_listed_and_deleted(sandbox: Sandbox) -> None:
    client = sandbox.stripe().v1
    mine, other = (client.customers.create({"name": name}).id for name in ("Mine", "Other"))

    made = client.customers.tax_ids.create(mine, {"type": "eu_vat", "value": "DE123456789"})

    assert ("DE", mine, "pending") == (made.country, made.customer, made.verification and made.verification.status)
    assert [] == misfits(made.to_dict())
    assert [made.id] == [each.id for each in client.customers.tax_ids.list(mine).data]
    assert made == client.customers.tax_ids.retrieve(mine, made.id)
    assert [] == client.customers.tax_ids.list(other).data
    with pytest.raises(stripe.InvalidRequestError):
        client.customers.tax_ids.delete(other, made.id)
    assert client.customers.tax_ids.delete(mine, made.id).deleted
    assert [] == client.customers.tax_ids.list(mine).data
    told = client.events.list({"types": ["customer.tax_id.created", "customer.tax_id.deleted"]}).data
    assert 2 == len(told)


@pytest.mark.parametrize(
    ("kind", "value", "param"), [("eu_vat", "12", "value"), ("gb_vat", "DE123456789", "value"), ("Vat", "1", "type")]
)
def test_an_odd_tax_id_is_refused(sandbox: Sandbox, kind: str, value: str, param: str) -> None:
    client = sandbox.stripe().v1
    mine = client.customers.create({"name": "Mine"}).id

    with pytest.raises(stripe.InvalidRequestError) as raised:
        client.customers.tax_ids.create(mine, {"type": kind, "value": value})

    assert param == raised.value.param
    assert [] == client.customers.tax_ids.list(mine).data
