"""Redis's protocol: whatever pieces a reply arrives in, it is the same reply."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import NoScriptError, ResponseError

from graphs.redis_saver.resp import Replies, packed

SHAPES = [
    (b"+OK\r\n", b"OK"),
    (b":-42\r\n", -42),
    (b"$5\r\na\r\nbc\r\n", b"a\r\nbc"),
    (b"$0\r\n\r\n", b""),
    (b"$-1\r\n", None),
    (b"*-1\r\n", None),
    (b"*0\r\n", []),
    (b"*3\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n+b\r\n", [1, [b"a", None], b"b"]),
    (b"_\r\n", None),
    (b"#t\r\n", True),
    (b"#f\r\n", False),
    (b",1.5\r\n", 1.5),
    (b"(12345678901234567890\r\n", 12345678901234567890),
    (b"~2\r\n:1\r\n:2\r\n", [1, 2]),
    (b"%1\r\n+key\r\n:1\r\n", [b"key", 1]),
    (b"=7\r\ntxt:abc\r\n", b"txt:abc"),
]


def test_a_command_is_counted_and_measured_in_bytes() -> None:
    assert packed("SET", "ü", b"\r\n", 7) == b"*4\r\n$3\r\nSET\r\n$2\r\n\xc3\xbc\r\n$2\r\n\r\n\r\n$1\r\n7\r\n"


@pytest.mark.parametrize(("data", "reply"), SHAPES)
def test_every_shape_is_read(data: bytes, reply: Any) -> None:
    assert Replies().feed(data) == [reply]


@given(st.lists(st.sampled_from(SHAPES), max_size=8), st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_pieces_make_no_difference(shapes: list[tuple[bytes, Any]], sizes: list[int]) -> None:
    data, replies, found = b"".join(data for data, _ in shapes), Replies(), list[Any]()
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        found += replies.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert found == [reply for _, reply in shapes]


def test_errors_are_those_of_redis_py() -> None:
    unknown, own, nested = Replies().feed(b"-NOSCRIPT no such\r\n-MINE is mine\r\n*1\r\n!8\r\nERR oops\r\n")
    assert isinstance(unknown, NoScriptError)
    assert (type(own), str(own)) == (ResponseError, "MINE is mine")
    assert isinstance(nested[0], ResponseError)


def test_what_was_not_asked_for_is_left_out() -> None:
    assert Replies().feed(b">2\r\n+invalidate\r\n*0\r\n:1\r\n") == [1]


def test_what_is_no_reply_is_refused() -> None:
    with pytest.raises(ValueError, match="Not a reply"):
        Replies().feed(b"HTTP/1.1 400 Bad Request\r\n\r\n")
