"""The pages that an invoice's links lead to."""

from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from sandbox.stripe import documents
from tests.sandbox.conftest import Api
from tests.sandbox.plans import customer_with, event_types


class Outline(HTMLParser):
    """Tags with their attributes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def bill(api: Api, description: str = "Desk, oiled", **customer: Any) -> dict[str, Any]:
    owner = customer_with(api, **({"name": "Ada", "email": "a@example.com"} | customer))
    draft = api.make("invoices", customer=owner, collection_method="send_invoice", days_until_due=10)
    api.make("invoiceitems", customer=owner, invoice=draft["id"], amount=2500, currency="usd", description=description)
    return api.make(f"invoices/{draft['id']}/finalize")


def read(api: Api, invoice: dict[str, Any], query: str = "") -> str:
    answer = api.http.get(invoice["hosted_invoice_url"] + query)
    assert 200 == answer.status_code
    return answer.text


def press(api: Api, invoice: dict[str, Any], act: str, **form: str) -> httpx.Response:
    return api.http.post(f"{invoice['hosted_invoice_url']}/{act}", data=form)


def test_the_page_says_what_is_owed_for_what_and_that_it_is_simulated(api: Api) -> None:
    invoice = bill(api)
    shown = read(api, invoice)
    for expected in (invoice["number"], "$25.00", "Desk, oiled", "Open, due", "Amount due", "simulated Stripe"):
        assert expected in shown


def test_the_page_can_be_read_without_seeing_it_and_on_a_phone(api: Api) -> None:
    outline = Outline(read(api, bill(api)))
    assert "en" == outline.named("html")[0]["lang"]
    assert [1, 1, 1] == [len(outline.named(tag)) for tag in ("title", "h1", "main")]
    assert "width=device-width, initial-scale=1" in [each.get("content") for each in outline.named("meta")]
    assert {"row", "col"} == {each.get("scope") for each in outline.named("th")}
    assert len(outline.named("table")) == len(outline.named("caption"))
    assert len(outline.named("label")) == len([each for each in outline.named("input") if each["type"] == "radio"])


def test_nothing_of_the_page_can_run_or_leave(api: Api) -> None:
    answer = api.http.get(bill(api, "<script>alert(1)</script>", name='"><img src=x>')["hosted_invoice_url"])
    outline = Outline(answer.text)
    assert ([], [], []) == (outline.named("script"), outline.named("img"), outline.named("style"))
    assert "&lt;script&gt;" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert ("no-store", "no-referrer") == (answer.headers["cache-control"], answer.headers["referrer-policy"])
    assert "text/css; charset=utf-8" == api.http.get("/_sandbox/style.css").headers["content-type"]


def test_paying_on_the_page_pays_the_invoice(api: Api) -> None:
    invoice = bill(api)
    answer = press(api, invoice, "pay", card="pm_card_visa")
    assert (303, "paid") == (answer.status_code, answer.headers["location"].partition("?said=")[2])
    assert "paid" == api.read(f"invoices/{invoice['id']}")["status"]
    assert "invoice.paid" in event_types(api, invoice["id"])
    shown = read(api, invoice, "?said=paid")
    assert "Thank you" in shown
    assert [] == Outline(shown).named("form")
    assert press(api, invoice, "pay", card="pm_card_visa").headers["location"].endswith("closed")
    assert 1 == len(api.read("charges", customer=invoice["customer"])["data"])


def test_a_declined_card_leaves_it_open_and_says_so(api: Api) -> None:
    invoice = bill(api)
    answer = press(api, invoice, "pay", card="pm_card_chargeDeclinedInsufficientFunds")
    assert answer.headers["location"].endswith("declined")
    assert 'role="alert"' in read(api, invoice, "?said=declined")
    assert "open" == api.read(f"invoices/{invoice['id']}")["status"]


@pytest.mark.parametrize(("result", "status"), [("pass", "paid"), ("fail", "open")])
def test_a_card_that_asks_for_its_owner_is_paid_only_when_they_agree(api: Api, result: str, status: str) -> None:
    invoice = bill(api)
    press(api, invoice, "pay", card="pm_card_authenticationRequired")
    assert "Your bank asks" in read(api, invoice)
    press(api, invoice, "authenticate", result=result)
    assert status == api.read(f"invoices/{invoice['id']}")["status"]
    assert "Your bank asks" not in read(api, invoice)
    assert 404 == press(api, invoice, "authenticate", result="pass").status_code


@pytest.mark.parametrize("card", ["", "pm_none", "4242424242424242"])
def test_only_the_offered_cards_are_taken(api: Api, card: str) -> None:
    invoice = bill(api)
    assert 404 == press(api, invoice, "pay", card=card).status_code
    assert 0 == api.read(f"invoices/{invoice['id']}")["attempt_count"]


def test_a_guessed_link_leads_nowhere(api: Api) -> None:
    bill(api)
    for path in ("guess", "guess.pdf", "None", "none"):
        assert 404 == api.http.get(f"/_sandbox/invoices/{path}").status_code
    assert 404 == api.http.post("/_sandbox/invoices/guess/pay", data={"card": "pm_card_visa"}).status_code


@pytest.mark.parametrize("name", ["Łukasz Żółć", "田中 ゆき", "김민준", "Ωμέγα", "Юлия", "😀 \x00 \u202e"])
def test_the_pdf_takes_any_name(api: Api, name: str) -> None:
    invoice = bill(api, f"For {name}", name=name)
    answers = [api.http.get(invoice["invoice_pdf"]).content for _ in range(2)]
    assert answers[0].startswith(b"%PDF-")
    assert answers[0] == answers[1]
    assert len(answers[0]) < 100_000


def test_each_character_gets_a_font_that_has_it_or_a_question_mark() -> None:
    assert ["Łukasz "] == [run for run, _font in documents.runs("Łukasz ", bold=False)]
    runs = list(documents.runs("Ada 田中 \U0001f995", bold=False))
    assert ["Ada ", "田中", " ?"] == [run for run, _font in runs]
    assert "HeiseiKakuGo-W5" == runs[1][1]


def test_a_long_invoice_goes_on_to_more_pages(api: Api) -> None:
    owner = customer_with(api)
    draft = api.make("invoices", customer=owner)
    for place in range(40):
        form = {"amount": 100 + place, "currency": "usd", "description": f"Part {place} " + "long words " * 20}
        api.make("invoiceitems", customer=owner, invoice=draft["id"], **form)
    invoice = api.make(f"invoices/{draft['id']}/finalize")
    assert api.http.get(invoice["invoice_pdf"]).content.count(b"/Type /Page\n") > 1
    assert "Part 39" in read(api, invoice)
