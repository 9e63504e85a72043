"""Dicts and lists that tell before they change, however deep the change is and whoever makes it.

The world owes three things to this: it writes only what changed, it knows how an object was before, and it can go back.
A plain dict or list that is put in is copied: later changes belong on the object, not on what was put in.
"""

from collections.abc import Callable, Iterable
from typing import Any, Self, SupportsIndex

Tell = Callable[[], None]
NESTED = (dict, list)


class TrackedDict(dict[str, Any]):
    __slots__ = ("tell",)

    def __init__(self, plain: dict[str, Any], tell: Tell) -> None:
        super().__init__(plain)
        self.tell = tell
        for key, value in plain.items():
            if isinstance(value, NESTED):
                dict.__setitem__(self, key, tracked(value, tell))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled and deeply copied as what it looks like."""
        return dict, (dict(self),)

    def __setitem__(self, key: str, value: Any) -> None:
        self.tell()
        super().__setitem__(key, tracked(value, self.tell))

    def __delitem__(self, key: str) -> None:
        self.tell()
        super().__delitem__(key)

    def __ior__(self, other: Any) -> Self:  # type: ignore[override,misc]
        self.update(other)
        return self

    def update(self, *others: Any, **more: Any) -> None:
        self.tell()
        for key, value in dict(*others, **more).items():
            super().__setitem__(key, tracked(value, self.tell))

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, *arguments: Any) -> Any:
        self.tell()
        return super().pop(*arguments)

    def popitem(self) -> tuple[str, Any]:
        self.tell()
        return super().popitem()

    def clear(self) -> None:
        self.tell()
        super().clear()


class TrackedList(list[Any]):
    __slots__ = ("tell",)

    def __init__(self, plain: Iterable[Any], tell: Tell) -> None:
        super().__init__(tracked(item, tell) for item in plain)
        self.tell = tell

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.tell()
        several = isinstance(index, slice)
        super().__setitem__(index, TrackedList(value, self.tell) if several else tracked(value, self.tell))

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        self.tell()
        super().__delitem__(index)

    def __iadd__(self, others: Iterable[Any]) -> Self:  # type: ignore[misc]
        self.extend(others)
        return self

    def __imul__(self, times: SupportsIndex) -> Self:
        self.tell()
        super().__init__(TrackedList(list(self) * times, self.tell))
        return self

    def append(self, item: Any) -> None:
        self.tell()
        super().append(tracked(item, self.tell))

    def extend(self, items: Iterable[Any]) -> None:
        self.tell()
        super().extend(TrackedList(items, self.tell))

    def insert(self, index: SupportsIndex, item: Any) -> None:
        self.tell()
        super().insert(index, tracked(item, self.tell))

    def pop(self, index: SupportsIndex = -1) -> Any:
        self.tell()
        return super().pop(index)

    def remove(self, item: Any) -> None:
        self.tell()
        super().remove(item)

    def clear(self) -> None:
        self.tell()
        super().clear()

    def sort(self, **how: Any) -> None:
        self.tell()
        super().sort(**how)

    def reverse(self) -> None:
        self.tell()
        super().reverse()


def tracked(value: Any, tell: Tell) -> Any:
    if isinstance(value, dict):
        return TrackedDict(value, tell)
    return TrackedList(value, tell) if isinstance(value, list | tuple) else value


def plain(value: Any) -> Any:
    """A deep copy that tells nobody. As `copy.deepcopy` for JSON, five times as fast."""
    if isinstance(value, dict):
        return {key: plain(item) if isinstance(item, NESTED) else item for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value
