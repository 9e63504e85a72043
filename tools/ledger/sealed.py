"""Columns whose values are sealed on their way in and opened on their way out. They cannot be searched."""

import json
from typing import Any

from sqlalchemy import JSON, Dialect, String, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

from tools.errors import Unprocessable
from tools.ledger.digest import canonical
from tools.sealing.keyring import ERASED, Keyring

KEYRING = "ledger_keyring"
"""The name under which an engine's dialect carries the keys of its database."""


def keyring_of(dialect: Dialect) -> Keyring:
    found: Keyring = getattr(dialect, KEYRING)
    return found


class SealedText(TypeDecorator[str]):
    """`place` is table and column, which the seal is bound to."""

    impl: type[TypeEngine[str]] = Text
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        try:
            return None if value is None else keyring_of(dialect).seal(value, place=self.place)
        except UnicodeEncodeError as error:
            raise Unprocessable("The text is not valid Unicode.") from error

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or value == ERASED:
            return value and "[erased]"
        return keyring_of(dialect).open(value, place=self.place)


class SealedLine(SealedText):
    """In a column that was made as VARCHAR."""

    impl = String
    cache_ok = True


class SealedJson(TypeDecorator[Any]):
    """A document, kept as the JSON text of its seal."""

    impl = JSON
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return keyring_of(dialect).seal(canonical(value).decode(), place=self.place)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if not isinstance(value, str):
            return value
        if value == ERASED:
            return {"erased": True}
        return json.loads(keyring_of(dialect).open(value, place=self.place))
