"""JSON Schemas for Stripe's objects, derived from the annotations of the pinned SDK.

Unknown fields are refused and fields that are not Optional are required, so an answer of the sandbox that
fits is an answer that the SDK's types describe. The types cannot say which nullable fields are always
present, nor formats and ranges of strings.
"""

import ast
import importlib
import inspect
import sys
import typing
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from stripe import ListObject
from stripe._object_classes import OBJECT_CLASSES

Schema = dict[str, Any]

PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Decimal: {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
    NoneType: {"type": "null"},
    Any: {},
    object: {},
}


@cache
def _deferred_imports(module: str) -> dict[str, str]:
    """Names imported under `if TYPE_CHECKING:`, each with the module that it comes from."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module)
    return {alias.asname or alias.name: f"{node.module}:{alias.name}" for node in imports for alias in node.names}


class Shapes:
    """Collects `$defs` while it walks from one object's class to the classes that it mentions."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def schema_of(self, object_name: str) -> Schema:
        module, name = OBJECT_CLASSES[object_name]
        reference = self._of_class(getattr(importlib.import_module(module), name))
        return {**reference, "$defs": self.definitions}

    def _of(self, hint: Any, module: str) -> Schema:
        if hint in PLAIN:
            return PLAIN[hint]
        if isinstance(hint, (str, ForwardRef)):
            return self._of(self._resolve(hint if isinstance(hint, str) else hint.__forward_arg__, module), module)
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin is Union:
            return self._of_union(arguments, module)
        if origin is list:
            return {"type": "array", "items": self._of(arguments[0], module)}
        if origin is dict:
            return {"type": "object", "additionalProperties": self._of(arguments[1], module)}
        if origin is ListObject:
            return self._envelope(self._of(arguments[0], module))
        if origin is not None:
            return {"type": "object", "additionalProperties": self._of(arguments[0], module)}
        return self._of_class(hint)

    def _of_union(self, arguments: tuple[Any, ...], module: str) -> Schema:
        """An open enum (`Literal[...] | str`) is held to the values that this version names."""
        closed = any(get_origin(argument) is Literal for argument in arguments)
        kept = [argument for argument in arguments if not (closed and argument is str)]
        return {"anyOf": [self._of(argument, module) for argument in kept]}

    def _of_class(self, cls: type) -> Schema:
        name = f"{cls.__module__}.{cls.__qualname__}"
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] = self._fields(cls)
        return {"$ref": f"#/$defs/{name}"}

    def _fields(self, cls: type) -> Schema:
        hints = {key: hint for key, hint in inspect.get_annotations(cls).items() if not _is_class_variable(hint)}
        if not hints:
            return {"type": "object"}
        return {
            "type": "object",
            "properties": {key: self._of(hint, cls.__module__) for key, hint in hints.items()},
            "required": sorted(key for key, hint in hints.items() if NoneType not in get_args(hint)),
            "additionalProperties": False,
        }

    @staticmethod
    def _envelope(items: Schema) -> Schema:
        return {
            "type": "object",
            "properties": {
                "object": {"const": "list"},
                "data": {"type": "array", "items": items},
                "has_more": {"type": "boolean"},
                "url": {"type": "string"},
            },
            "required": ["object", "data", "has_more", "url"],
        }

    @staticmethod
    def _resolve(name: str, module: str) -> Any:
        """`Charge` and `_bank_account.BankAccount` alike, as the module itself would see them."""
        head, *rest = name.split(".")
        found = getattr(sys.modules[module], head, None)
        if found is None:
            home, original = _deferred_imports(module)[head].split(":")
            package = importlib.import_module(home)
            found = getattr(package, original, None) or importlib.import_module(f"{home}.{original}")
        for part in rest:
            found = getattr(found, part)
        return found


def _is_class_variable(hint: Any) -> bool:
    return get_origin(hint) is typing.ClassVar


@cache
def validator(object_name: str) -> Draft202012Validator:
    return Draft202012Validator(Shapes().schema_of(object_name))


def misfits(answer: dict[str, Any]) -> list[str]:
    """What the SDK's types would not expect in this answer, one line each; a list is checked item by item."""
    if answer["object"] in {"list", "search_result"}:
        return [line for item in answer["data"] for line in misfits(item)]
    errors = validator(answer["object"]).iter_errors(answer)
    return [f"{answer['object']}{error.json_path[1:]}: {error.message[:200]}" for error in errors]
