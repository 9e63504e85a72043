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
