"""The shipped documents keep what code and other documents rely on."""

import re
from collections import Counter

import pytest
import yaml

from tests.tools.knowledge.conftest import DAY, POLICIES
from tools.knowledge.answers import sentences
from tools.knowledge.documents import Section, read_folder

SECTIONS = read_folder(POLICIES)
CUSTOMER = [section for section in SECTIONS if section.audience == "customer"]
TEXTS = {(section.passage.document, section.passage.anchor): section.passage.text for section in CUSTOMER}

CITED = {
    "refunds": "when-we-refund duplicate-charges how-long-a-refund-takes limits-and-approval charged-after-cancelling",
    "annual-plans": "refunds-on-annual-plans",
    "disputes": "refunds-during-a-dispute",
    "payment-plans": "who-can-have-a-plan how-a-plan-works",
    "cancellation": "cancelling-your-plan what-happens-after-you-cancel",
    "invoices": "finding-your-invoices",
    "payment-security": "what-we-never-ask-for",
    "contact": "talking-to-a-person",
}


@pytest.mark.parametrize("document", CITED)
def test_every_section_that_is_cited_by_name_exists(document: str) -> None:
    assert [anchor for anchor in CITED[document].split() if (document, anchor) not in TEXTS] == []


def test_every_section_that_the_policy_rules_name_exists() -> None:
    rules = yaml.safe_load((POLICIES.parent / "tools/policy/rules.yaml").read_text("utf-8"))
    named = {(rule["document"], rule["anchor"]) for kind in rules.values() if isinstance(kind, dict)
             for rule in kind.values() if isinstance(rule, dict) and "id" in rule}  # fmt: skip
    assert len(named) > 5
    assert named - TEXTS.keys() == set()


@pytest.mark.parametrize(
    ("document", "anchor", "words"),
    [
        ("refunds", "when-we-refund", "within 30 days"),
        ("refunds", "limits-and-approval", "up to 100 USD"),
        ("refunds", "limits-and-approval", "three refunds in any 12 months"),
        ("refunds", "limits-and-approval", "within 24 hours above 200 USD"),
        ("refunds", "duplicate-charges", "refund the later one"),
        ("refunds", "duplicate-charges", "whatever the date"),
        ("refunds", "charged-after-cancelling", "whatever the date"),
        ("refunds", "how-long-a-refund-takes", "5–10 business days"),
        ("refunds", "where-the-money-goes", "the payment method that you paid with"),
        ("annual-plans", "refunds-on-annual-plans", "within 30 days"),
        ("disputes", "refunds-during-a-dispute", "do not refund a charge while a dispute"),
        ("payment-plans", "how-a-plan-works", "between 2 and 6 monthly instalments"),
        ("payment-plans", "who-can-have-a-plan", "up to 2,000 USD"),
        ("cancellation", "cancelling-your-plan", "at the end of the period you have already paid for"),
    ],
)
def test_the_documents_say_what_the_policy_engine_does(document: str, anchor: str, words: str) -> None:
    assert words in TEXTS[document, anchor]


def test_a_customers_document_has_four_sections_or_more() -> None:
    sizes = Counter(section.passage.document for section in CUSTOMER)
    assert len(sizes) >= 12
    assert {document: size for document, size in sizes.items() if size < 4} == {}


def test_every_document_is_in_force() -> None:
    assert [section.key for section in SECTIONS if section.effective > DAY] == []


@pytest.mark.parametrize("section", CUSTOMER, ids=lambda section: section.key)
def test_every_sentence_can_be_quoted_alone(section: Section) -> None:
    leaning = re.compile(r"(It|They|This|That|These|Those|However|But|And|So|Otherwise|Then|There)\b")
    allowed = ("There is no notice period",)
    parts = [part for part in sentences(section.passage.text) if not part.startswith(allowed)]
    assert [part for part in parts if leaning.match(part) or not part.endswith((".", "!", "?", '."'))] == []


def test_the_notes_for_the_billing_team_are_internal() -> None:
    assert {section.passage.document for section in SECTIONS if section.audience == "internal"} == {"agents-notes"}
