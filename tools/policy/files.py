"""Reads the files of the policy: one sentence names the file, and the place in it, when something is wrong."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from tools.errors import ConfigurationError

Shape = TypeVar("Shape")


class _Loader(yaml.SafeLoader):
    """YAML lets the last of two equal keys win; in a table of limits that is a mistake which nobody sees."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise yaml.constructor.ConstructorError(
                problem=f"`{twice[0]}` is there twice", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep)


def read(file: Path, what: str, shape: TypeAdapter[Shape]) -> Shape:
    """`what` is how the file is called for people. Raises `ConfigurationError` naming it and the first fault."""
    try:
        return shape.validate_python(yaml.load(file.read_text(encoding="utf-8"), _Loader))  # noqa: S506 - a safe one
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{what} {file} cannot be read.") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{what} {file} is not valid YAML{_where(error)}.") from error
    except ValidationError as error:
        raise ConfigurationError(f"{what} {file} is wrong at {first_fault(error)}.") from error


def first_fault(error: ValidationError) -> str:
    """`refund.window.days.month: Input should be a valid integer`, and how many more there are."""
    first, *others = error.errors(include_url=False)
    where = ".".join(str(part) for part in first["loc"]) or "the top level"
    said = first["msg"].removeprefix("Value error, ")
    return f"{where}: {said}" + (f" ({len(others)} more)" if others else "")


def _where(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return ""
    return f" (line {error.problem_mark.line + 1}: {error.problem})"
