"""The policy documents say the figures that the rules have: whoever changes one has to change the other."""

from pathlib import Path

import pytest

from tools.knowledge.documents import read_folder
from tools.policy.common import DailyCount, Limit
from tools.policy.invoices import Extension, Instalments, PlansAtATime
from tools.policy.refunds import Frequency, Window
from tools.policy.rule import Rule
from tools.policy.rules import load_rules
from tools.policy.subscriptions import PauseMonths

RULES = load_rules()
SECTIONS = read_folder(Path(__file__).parents[3] / "knowledge")
CUSTOMER = {(s.passage.document, s.passage.anchor): s.passage.text for s in SECTIONS if s.audience == "customer"}
NOTES = " ".join(section.passage.text for section in SECTIONS if section.audience == "internal")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")
ORDINALS = {3: "third", 4: "fourth", 6: "sixth", 11: "eleventh"}


def figures(rule: Rule) -> list[str]:
    """How the section that a rule cites has to put its figures; none for a rule without any."""
    match rule:
        case Limit():
            return [usd(rule.limits["usd"])]
        case DailyCount():
            return [ORDINALS[rule.automatic_in_24_hours + 1], "within 24 hours"]
        case Frequency():
            return [f"{NUMBERS[rule.automatic_in_12_months]} refunds in any 12 months"]
        case Window():
            return [f"{days} days" for days in rule.days.values()]
        case Instalments():
            return [f"between {rule.fewest} and {rule.most} monthly instalments"]
        case PlansAtATime():
            return [f"{NUMBERS[rule.most]} payment plan at a time"]
        case Extension():
            return [f"once, by up to {rule.most_days} days"]
        case PauseMonths():
            *first, last = NUMBERS[rule.fewest : rule.most + 1]
            return [f"{', '.join(first)} or {last} months"]
        case _:
            return []


def usd(cents: int | None) -> str:
    return f"{(cents or 0) / 100:,.0f} USD"


@pytest.mark.parametrize("rule", list(RULES.cited()), ids=lambda rule: rule.id)
def test_a_rule_cites_a_section_for_customers_that_has_its_figures(rule: Rule) -> None:
    text = CUSTOMER[rule.document, rule.anchor]

    assert [figure for figure in figures(rule) if figure not in text] == []


def test_the_notes_for_the_desk_have_the_figures_of_approvals() -> None:
    approval, breaker = RULES.approval, RULES.breaker
    agent, supervisor = (
        (powers.each or {}, powers.a_day or {}) for powers in (approval.roles.agent, approval.roles.supervisor)
    )
    wanted = [
        f"A second pair of eyes is needed above {usd(approval.two_people.above['usd'])}",
        f"An agent approves up to {usd(agent[0]['usd'])} each and {usd(agent[1]['usd'])} in 24 hours",
        f"up to {usd(supervisor[1]['usd'])} in 24 hours",
        f"after {NUMBERS[approval.approval_lasts.days]} days expires",
        f"{breaker.at_least} automatic refunds within an hour",
        f"more than {NUMBERS[breaker.times_usual]} times as many as usual",
    ]

    assert breaker.window_minutes == 60
    assert [words for words in wanted if words not in NOTES] == []


def test_enough_rules_have_figures() -> None:
    assert sum(bool(figures(rule)) for rule in RULES.cited()) >= 14
