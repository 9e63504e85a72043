"""What every Stripe call has in common: keys, headers, forms, and the words of refusals."""

import asyncio
import base64

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe import API_VERSION, brackets, params
from sandbox.stripe.errors import StripeFailure
from tests.fixtures.sandbox import Sandbox
from tests.sandbox.conftest import Api


@pytest.mark.parametrize("key", ["sk_live_abc", "rk_live_abc", "pk_test_abc", "nonsense", ""])
def test_only_secret_test_keys_are_taken(sandbox: Sandbox, key: str) -> None:
    answer = sandbox.http.get("/v1/customers", headers={"Authorization": f"Bearer {key}".strip()})
    assert 401 == answer.status_code
    assert "invalid_request_error" == answer.json()["error"]["type"]


def test_a_live_key_is_told_where_it_is_and_not_repeated(sandbox: Sandbox) -> None:
    answer = sandbox.http.get("/v1/customers", headers={"Authorization": "Bearer sk_live_0123456789abcdef"})
    message = answer.json()["error"]["message"]
    assert "test keys only" in message
    assert "0123456789" not in message


@pytest.mark.parametrize("key", ["sk_test_x", "rk_test_x"])
def test_a_key_may_come_as_basic_user(sandbox: Sandbox, key: str) -> None:
    assert 200 == sandbox.http.get("/v1/customers", auth=(key, "")).status_code


def test_a_basic_header_that_is_no_base64_is_refused_not_crashed_on(sandbox: Sandbox) -> None:
    assert 401 == sandbox.http.get("/v1/customers", headers={b"Authorization": "Basic €".encode()}).status_code
    invalid = base64.b64encode(b"\xff\xfe:").decode()
    assert 401 == sandbox.http.get("/v1/customers", headers={"Authorization": f"Basic {invalid}"}).status_code


def test_answers_name_their_request_and_version(api: Api) -> None:
    first, second = api.get("customers"), api.get("customers")
    assert first.headers["request-id"].startswith("req_")
    assert first.headers["request-id"] != second.headers["request-id"]
    assert API_VERSION == first.headers["stripe-version"]


def test_another_api_version_is_refused(api: Api) -> None:
    answer = api.http.get("/v1/customers", headers={"Stripe-Version": "2020-08-27"})
    assert 400 == answer.status_code
    assert "Invalid Stripe API version" in answer.json()["error"]["message"]


def test_an_unknown_address_is_not_found_in_the_words_of_stripe(api: Api) -> None:
    answer = api.get("unicorns")
    assert 404 == answer.status_code
    assert answer.json()["error"]["message"].startswith("Unrecognized request URL (GET: /v1/unicorns).")
    assert 404 == api.http.put("/v1/customers").status_code


def test_a_missing_object_is_named(api: Api) -> None:
    answer = api.get("customers/cus_none")
    assert (404, "resource_missing", "id") == api.error(answer)
    error = answer.json()["error"]
    assert "No such customer: 'cus_none'" == error["message"]
    assert error["doc_url"].endswith("resource-missing")
    assert error["request_log_url"].endswith(answer.headers["request-id"])


def test_a_missing_object_in_a_parameter_is_a_bad_request(api: Api) -> None:
    refused = api.get("charges", customer="cus_none")
    assert (400, "resource_missing", "customer") == api.error(refused)


@pytest.mark.parametrize(
    ("path", "form", "refusal"),
    [
        ("customers", {"colour": "blue"}, (400, "parameter_unknown", "colour")),
        ("customers", {"address[colour]": "x"}, (400, "parameter_unknown", "address[colour]")),
        ("customers", {"address": "x"}, (400, None, "address")),
        ("customers", {"email": "x" * 513}, (400, None, "email")),
        ("payment_intents", {"currency": "usd"}, (400, "parameter_missing", "amount")),
        ("payment_intents", {"amount": "4.5", "currency": "usd"}, (400, "parameter_invalid_integer", "amount")),
        ("payment_intents", {"amount": "400", "currency": ""}, (400, "parameter_invalid_empty", "currency")),
        ("payment_intents", {"amount": "400", "currency": "dollars"}, (400, None, "currency")),
        ("payment_intents", {"amount": "10", "currency": "usd"}, (400, "amount_too_small", "amount")),
        ("payment_intents", {"amount": "100000000", "currency": "usd"}, (400, "amount_too_large", "amount")),
        ("payment_intents", {"amount": "5125", "currency": "kwd"}, (400, "parameter_invalid_integer", "amount")),
        ("invoices", {"customer": "x", "auto_advance": "maybe"}, (400, None, "auto_advance")),
        ("subscriptions", {"customer": "x"}, (400, "parameter_missing", "items")),
    ],
)
def test_parameters_that_do_not_fit_are_refused_by_name(
    api: Api, path: str, form: dict[str, str], refusal: tuple[int, str | None, str | None]
) -> None:
    assert refusal == api.error(api.post(path, **form))


def test_json_bodies_are_not_taken_for_forms(api: Api) -> None:
    assert 400 == api.http.post("/v1/customers", json={"email": "a@example.com"}).status_code


def test_metadata_is_merged_and_dropped_by_stripes_rules(api: Api) -> None:
    made = api.make("customers", **{"metadata[a]": "1", "metadata[b]": "2"})
    merged = api.make(f"customers/{made['id']}", **{"metadata[b]": "", "metadata[c]": "3"})
    assert {"a": "1", "c": "3"} == merged["metadata"]
    assert {} == api.make(f"customers/{made['id']}", metadata="")["metadata"]


@pytest.mark.parametrize(
    "form",
    [
        {f"metadata[key{number}]": "x" for number in range(51)},
        {f"metadata[{'k' * 41}]": "x"},
        {"metadata[key]": "x" * 501},
        {"metadata[key][deeper]": "x"},
    ],
)
def test_metadata_has_limits(api: Api, form: dict[str, str]) -> None:
    assert 400 == api.post("customers", **form).status_code


def test_metadata_reaches_its_limits_and_no_further(api: Api) -> None:
    full = {f"metadata[{number:02}{'k' * 38}]": "x" * 500 for number in range(50)}
    made = api.make("customers", **full)
    assert 50 == len(made["metadata"])
    assert 400 == api.post(f"customers/{made['id']}", **{"metadata[one more]": "x"}).status_code
    first = next(iter(made["metadata"]))
    swapped = api.make(f"customers/{made['id']}", **{f"metadata[{first}]": "", "metadata[one more]": "x"})
    assert 50 == len(swapped["metadata"])


def test_a_delete_takes_its_parameters_from_the_query(api: Api) -> None:
    subscription = api.read("subscriptions", limit=1)["data"][0]["id"]
    refused = api.delete(f"subscriptions/{subscription}", invoice_now="maybe")
    assert (400, None, "invoice_now") == api.error(refused)


def test_several_unknown_parameters_are_named_together(api: Api) -> None:
    refused = api.post("customers", colour="blue", size="9")
    assert "Received unknown parameters: colour, size" == refused.json()["error"]["message"]


def test_every_answer_of_stripe_names_its_request(api: Api) -> None:
    answers = [api.get("customers"), api.get("customers/cus_none"), api.get("unicorns"), api.post("customers", key="k")]
    assert all(answer.headers["request-id"].startswith("req_") for answer in answers)
    assert "k" == answers[-1].headers["idempotency-key"]


def test_an_empty_value_unsets_a_field(api: Api) -> None:
    made = api.make("customers", name="Before", phone="+12025550777")
    changed = api.make(f"customers/{made['id']}", name="", **{"address[city]": "Graz"})
    assert (None, "+12025550777", "Graz") == (changed["name"], changed["phone"], changed["address"]["city"])


async def test_the_sdk_raises_its_own_errors(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await client.v1.customers.retrieve_async("cus_none")
    assert ("resource_missing", "id", 404) == (
        refused.value.code,
        refused.value.param,
        refused.value.http_status,
    )
    with pytest.raises(stripe.CardError) as declined:
        await client.v1.payment_intents.create_async(
            {
                "amount": 900,
                "currency": "usd",
                "confirm": True,
                "payment_method": "pm_card_chargeDeclinedInsufficientFunds",
            }
        )
    assert "card_declined" == declined.value.code
    assert declined.value.error
    assert "insufficient_funds" == declined.value.error.decline_code


def test_raw_card_numbers_are_refused(api: Api) -> None:
    form = {"type": "card", "card[number]": "4" + "0" * 15, "card[exp_month]": "1", "card[exp_year]": "2031"}
    assert 402 == api.post("payment_methods", **form).status_code
    assert 200 == api.post("payment_methods", **{"type": "card", "card[token]": "tok_visa"}).status_code


def test_other_host_names_cannot_reach_it(sandbox: Sandbox) -> None:
    answer = sandbox.http.get("/_sandbox/inbox", headers={"Host": "evil.example"})
    assert 400 == answer.status_code


@pytest.mark.parametrize(
    ("encoded", "tree"),
    [
        ("a=1&b[c]=2", {"a": "1", "b": {"c": "2"}}),
        ("a[]=x&a[]=y", {"a": {"0": "x", "1": "y"}}),
        ("a[0][b]=1&a[1][b]=2", {"a": {"0": {"b": "1"}, "1": {"b": "2"}}}),
        ("a[][b]=1&a[][c]=2&a[][b]=3", {"a": {"0": {"b": "1", "c": "2"}, "1": {"b": "3"}}}),
        ("a=", {"a": ""}),
        ("m[k%5D]=v", {"m": {"k]": "v"}}),
    ],
)
def test_bracket_forms_become_a_tree(encoded: str, tree: brackets.Tree) -> None:
    assert tree == brackets.parse(encoded)


FORM_TEXT = st.text(alphabet="ab[]=&0%1\u00e9 ", max_size=40)
DECLARED = params.fields(
    a=params.text(),
    b=params.many(params.group(a=params.integer())),
    ab=params.metadata(),
    ba=params.moment_range(),
)


@given(encoded=FORM_TEXT)
def test_no_form_breaks_the_reader(encoded: str) -> None:
    try:
        read = params.coerce(brackets.parse(encoded), DECLARED)
    except StripeFailure as refusal:
        read, status = {}, refusal.status
    else:
        status = 200
    assert status in {200, 400}
    assert read.keys() <= DECLARED.keys()


async def test_a_shared_client_serves_many_calls_at_once(client: stripe.StripeClient) -> None:
    """Each handler runs without awaiting, so none of a forty refunds of 3 cents is lost or doubled."""
    intent = await client.v1.payment_intents.create_async(
        {"amount": 100, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
    )
    results = await asyncio.gather(
        *(client.v1.refunds.create_async({"payment_intent": intent.id, "amount": 3}) for _ in range(40)),
        return_exceptions=True,
    )
    refused = [each for each in results if isinstance(each, stripe.InvalidRequestError)]
    assert 7 == len(refused)


def test_health_is_told_without_a_key(sandbox: Sandbox) -> None:
    assert {"ok": True} == sandbox.http.get("/_sandbox/health").json()


def test_a_refused_request_has_done_nothing(api: Api) -> None:
    """Also when the refusal comes last: here the answer cannot be given as it was asked for."""
    customer = api.make("customers", email="whole@example.com")["id"]
    before = api.read("events", limit=100)
    asked = {"expand[0]": "nonsense"}
    assert 400 == api.post(f"customers/{customer}", name="Other", **asked).status_code
    assert 400 == api.delete(f"customers/{customer}", **asked).status_code
    assert (None, before) == (api.read(f"customers/{customer}")["name"], api.read("events", limit=100))
