from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.errors import ConfigurationError
from tools.policy.engine import PolicyEngine
from tools.policy.rules import PACKAGED
from tools.policy.table import load_cases


@pytest.fixture
def rules() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(PACKAGED.read_text(encoding="utf-8"))
    return loaded


def complaint(path: Path, rules: object) -> str:
    path.write_text(yaml.safe_dump(rules), encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        PolicyEngine.load(path)
    return raised.value.message


def test_a_missing_rule_is_named(tmp_path: Path, rules: dict[str, Any]) -> None:
    del rules["refund"]["disputed"]

    assert "refund.disputed: Field required" in complaint(tmp_path / "rules.yaml", rules)


def test_an_amount_that_is_no_integer_is_named(tmp_path: Path, rules: dict[str, Any]) -> None:
    rules["refund"]["automatic_limit"]["limits"]["usd"] = 99.5

    assert "refund.automatic_limit.limits.usd" in complaint(tmp_path / "rules.yaml", rules)


def test_a_misspelt_field_is_named(tmp_path: Path, rules: dict[str, Any]) -> None:
    rules["payment_plan"]["instalments"]["maximum"] = 12

    assert "payment_plan.instalments.maximum" in complaint(tmp_path / "rules.yaml", rules)


def test_an_unknown_outcome_is_named(tmp_path: Path, rules: dict[str, Any]) -> None:
    rules["refund"]["window"]["outside"] = "perhaps"

    assert "refund.window.outside" in complaint(tmp_path / "rules.yaml", rules)


def test_a_currency_in_capitals_is_refused(tmp_path: Path, rules: dict[str, Any]) -> None:
    """Money is lower-case inside; an upper-case key would be a limit that never applies."""
    rules["refund"]["automatic_limit"]["limits"]["USD"] = 1

    assert "refund.automatic_limit.limits.USD" in complaint(tmp_path / "rules.yaml", rules)


def test_two_rules_cannot_share_an_id(tmp_path: Path, rules: dict[str, Any]) -> None:
    rules["refund"]["goodwill"]["id"] = rules["refund"]["duplicate"]["id"]

    assert "refund.duplicate" in complaint(tmp_path / "rules.yaml", rules)


def test_fewest_instalments_cannot_exceed_the_most(tmp_path: Path, rules: dict[str, Any]) -> None:
    rules["payment_plan"]["instalments"]["fewest"] = 9

    assert "payment_plan.instalments" in complaint(tmp_path / "rules.yaml", rules)


def test_a_list_instead_of_rules_is_refused(tmp_path: Path) -> None:
    assert "the top level" in complaint(tmp_path / "rules.yaml", [1, 2])


def test_broken_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("version: [", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="not valid YAML"):
        PolicyEngine.load(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.yaml cannot be read"):
        PolicyEngine.load(tmp_path / "absent.yaml")


def test_a_changed_limit_changes_the_verdict(tmp_path: Path, rules: dict[str, Any]) -> None:
    rules["refund"]["automatic_limit"]["limits"]["usd"] = 4899
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(rules), encoding="utf-8")

    first_case = load_cases()[0].request()
    assert PolicyEngine.load().evaluate(first_case).outcome == "auto"
    assert PolicyEngine.load(path).evaluate(first_case).rule == "refund.automatic-limit"


def test_a_wrong_table_of_cases_names_the_row(tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_text("- {name: x, kind: refund, amount: lots, outcome: auto, rule: a.b}", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"0\.amount"):
        load_cases(path)


def refusal(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        PolicyEngine.load(path)
    return raised.value.message


def test_a_limit_that_is_there_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    """YAML would let the last one win, and nobody would see which."""
    text = PACKAGED.read_text(encoding="utf-8").replace("{usd: 10000,", "{usd: 10000, usd: 990000,", 1)
    line = 1 + next(number for number, line in enumerate(text.splitlines()) if "usd: 990000" in line)
    path = tmp_path / "rules.yaml"

    assert f"The policy file {path} is not valid YAML (line {line}: `usd` is there twice)." == refusal(path, text)


def test_a_section_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    text = PACKAGED.read_text(encoding="utf-8")
    assert "`refund` is there twice" in refusal(tmp_path / "rules.yaml", f"{text}\nrefund: {{}}\n")


def test_a_missing_kind_is_named(tmp_path: Path, rules: dict[str, Any]) -> None:
    del rules["pause_subscription"]
    path = tmp_path / "rules.yaml"

    assert f"The policy file {path} is wrong at pause_subscription: Field required." == complaint(path, rules)


def test_an_unknown_kind_is_named(tmp_path: Path, rules: dict[str, Any]) -> None:
    rules["gift"] = {}

    assert "is wrong at gift: Extra inputs are not permitted" in complaint(tmp_path / "rules.yaml", rules)


@pytest.mark.parametrize(
    ("where", "value", "named"),
    [
        ("refund.automatic_limit.above", "auto", "refund.automatic_limit: above cannot be auto"),
        ("refund.window.inside", "deny", "refund.window: outside has to be stricter than inside"),
        ("refund.goodwill.ground", "duplicate", "no rule is for the ground goodwill"),
        ("refund.goodwill.because", "no sentence", "refund.goodwill.because"),
        ("refund.daily_count.automatic_in_24_hours", -1, "refund.daily_count.automatic_in_24_hours"),
        ("pause_subscription.months.fewest", 9, "pause_subscription.months: fewest"),
        ("approval.two_people.above", {}, "approval.two_people.above"),
        ("approval.two_people.kinds", ["gift"], "approval.two_people.kinds.0"),
        ("approval.approval_hours", 0, "approval.approval_hours"),
        ("approval.roles.agent.each.usd", "100", "approval.roles.agent.each.usd"),
        ("approval.roles.boss", {}, "approval.roles.boss"),
        ("breaker.window_minutes", 0, "breaker.window_minutes"),
    ],
)
def test_a_figure_that_makes_no_sense_is_named(
    tmp_path: Path, rules: dict[str, Any], where: str, value: object, named: str
) -> None:
    *path, last = where.split(".")
    place = rules
    for part in path:
        place = place[part]
    place[last] = value

    assert named in complaint(tmp_path / "rules.yaml", rules)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("{name: x, kind: gift, amount: 1 usd, outcome: auto, rule: a.b}", "is wrong at 0.kind: "),
        ("{name: x, kind: refund, amount: 1 usd, outcome: auto}", "is wrong at 0.rule: Field required"),
        ("{name: x, kind: refund, amount: 1 usd, outcome: auto, rule: a.b, days: 1}", "is wrong at 0.days: Extra"),
    ],
)
def test_a_row_that_does_not_fit_is_named(tmp_path: Path, row: str, named: str) -> None:
    path = tmp_path / "cases.yaml"
    path.write_text(f"- {row}", encoding="utf-8")

    with pytest.raises(ConfigurationError) as raised:
        load_cases(path)
    assert f"The table of policy cases {path} {named}" in raised.value.message


def test_a_table_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_cases(path)
