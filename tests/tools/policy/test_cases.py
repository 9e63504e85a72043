import pytest

from tools.policy.engine import PolicyEngine
from tools.policy.table import Case, Surprise, load_cases, surprises

CASES = load_cases()


@pytest.fixture(scope="module")
def engine() -> PolicyEngine:
    return PolicyEngine.load()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_packaged_rules_answer_the_table(engine: PolicyEngine, case: Case) -> None:
    assert Surprise.of(engine, case) is None


def test_every_rule_decides_at_least_one_case(engine: PolicyEngine) -> None:
    assert {rule.id for rule in engine.rules.cited()} == {case.rule for case in CASES}


def test_a_case_that_expects_something_else_is_reported(engine: PolicyEngine) -> None:
    wrong = CASES[0].model_copy(update={"outcome": "deny"})

    (surprise,) = surprises(engine, [*CASES, wrong])

    assert wrong == surprise.case
    assert surprise.verdict.outcome == "auto"
