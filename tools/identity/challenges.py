"""Challenges and questions in Redis: one per thread, compared and counted down atomically on the server.

Fails closed: when Redis does not answer, nobody is verified and `Unavailable` is raised.
Addresses are sealed. Codes are never stored, only their seals (`codes.seal`); of a question, what was asked and not
what is right. All keys expire.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tools.errors import RateLimited, Unavailable
from tools.identity.telling_apart import Kind
from tools.identity.types import Attempt, Level, Outcome
from tools.sealing.keyring import Keyring

# A challenge outlives its code by this, so that a late code is answered with "expired" and not passed on.
_GRACE = 3600
AN_HOUR = 3600

# KEYS: challenge, taken, last, proof, asked    ARGV: message id, nonce, seal, now, seconds to remember, level ttl
_ATTEMPT = """
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return 'repeated' end
local known = redis.call('HMGET', KEYS[1], 'nonce', 'seal', 'tries_left', 'expires', 'email')
if not known[1] then return 'gone' end
if known[1] ~= ARGV[2] then return 'replaced' end
local outcome = 'wrong'
if tonumber(known[4]) <= tonumber(ARGV[4]) then outcome = 'expired'
elseif known[2] == ARGV[3] then outcome = 'verified'
elseif tonumber(known[3]) <= 1 then outcome = 'locked' end
if outcome == 'wrong' then redis.call('HINCRBY', KEYS[1], 'tries_left', -1)
else redis.call('DEL', KEYS[1]) end
if outcome == 'verified' then
  redis.call('DEL', KEYS[4])
  redis.call('HSET', KEYS[4], 'email', known[5], 'level', 2, 'message_id', ARGV[1])
  redis.call('EXPIRE', KEYS[4], ARGV[6])
  redis.call('DEL', KEYS[5])
end
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('HSET', KEYS[3], 'message_id', ARGV[1], 'outcome', outcome)
redis.call('EXPIRE', KEYS[3], ARGV[5])
return outcome
"""

# KEYS: proof, question, last    ARGV: message id of the proof, kind, nonce, tries, seconds to remember
_ASK = """
local proved = redis.call('HMGET', KEYS[1], 'email', 'message_id')
if not proved[1] or proved[2] ~= ARGV[1] then return 0 end
local ttl = math.max(1, redis.call('TTL', KEYS[1]))
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[2], 'email', proved[1], 'kind', ARGV[2], 'nonce', ARGV[3], 'tries_left', ARGV[4])
redis.call('EXPIRE', KEYS[2], ttl)
redis.call('HSET', KEYS[3], 'message_id', ARGV[1], 'outcome', 'several')
redis.call('EXPIRE', KEYS[3], ARGV[5])
return 1
"""

# KEYS: question, taken, last, proof    ARGV: message id, nonce, the customer that the answer fits or "", seconds
_ANSWER = """
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return 'repeated' end
local known = redis.call('HMGET', KEYS[1], 'nonce', 'tries_left', 'email')
if not known[1] then return 'gone' end
if known[1] ~= ARGV[2] then return 'replaced' end
local outcome = 'mismatch'
if ARGV[3] ~= '' then outcome = 'verified'
elseif tonumber(known[2]) <= 1 then outcome = 'ambiguous' end
local ttl = math.max(1, redis.call('TTL', KEYS[1]))
if outcome == 'mismatch' then redis.call('HINCRBY', KEYS[1], 'tries_left', -1)
else redis.call('DEL', KEYS[1]) end
if outcome == 'verified' then
  redis.call('HSET', KEYS[4], 'email', known[3], 'level', 2, 'message_id', ARGV[1], 'customer', ARGV[3])
  redis.call('EXPIRE', KEYS[4], ttl)
end
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('HSET', KEYS[3], 'message_id', ARGV[1], 'outcome', outcome)
redis.call('EXPIRE', KEYS[3], ARGV[4])
return outcome
"""

_ADDRESSES = frozenset({"address", "email"})
_KINDS = ("challenge", "taken", "last", "proof", "asked", "question", "caller")

# What an attempt met: an outcome, or nothing to attempt
Met = Outcome | Literal["repeated", "gone", "replaced"]


@dataclass(frozen=True, kw_only=True)
class Challenge:
    address: str
    """As the customer typed it."""
    email: str
    """Where the code went; empty when it went nowhere."""
    nonce: str
    seal: str
    tries_left: int
    expires: float
    """POSIX time."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """An address that was proved and is not yet bound to a customer."""

    email: str
    level: Level
    message_id: str
    seconds_left: int
    customer: str = ""
    """Which of several, once an answer told."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of somebody who has proved an address with several accounts."""

    email: str
    kind: Kind
    nonce: str
    tries_left: int


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who wrote last on a thread, as far as the request tells."""

    network: str = ""
    """Sealed."""
    email: str = ""
    """The host site vouches for it."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """All that Redis knows about one thread."""

    challenge: Challenge | None
    proof: Proof | None
    last: Attempt | None
    question: Question | None
    caller: Caller


class Challenges:
    def __init__(self, redis: Redis, keys: Keyring, *, code_ttl: int, level_ttl: int) -> None:
        self._redis = redis
        self._keyring = keys
        self._code_ttl = code_ttl
        self._level_ttl = level_ttl
        self._attempt = redis.register_script(_ATTEMPT)
        self._ask = redis.register_script(_ASK)
        self._answer = redis.register_script(_ANSWER)

    async def count(self, name: str, limit: int, *, window: int = AN_HOUR) -> None:
        """Count one more of `name` in so many seconds; above `limit`, RateLimited."""
        key = f"identity:sends:{name}"
        async with _fail_closed(), self._redis.pipeline(transaction=True) as pipe:
            pipe.set(key, 0, ex=window, nx=True)
            pipe.incr(key)
            pipe.ttl(key)
            _, sent, seconds = await pipe.execute()
        if sent > limit:
            raise RateLimited("Too many codes were asked for. Please wait.", retry_after=max(1, seconds))

    async def uncount(self, name: str) -> None:
        key = f"identity:sends:{name}"
        async with _fail_closed(), self._redis.pipeline(transaction=True) as pipe:
            pipe.set(key, 1, ex=AN_HOUR, nx=True)
            pipe.decr(key)
            await pipe.execute()

    async def put(self, thread: str, challenge: Challenge) -> None:
        """Replaces the one before, and what became of it."""
        keys = _keys(thread)
        async with _fail_closed(), self._redis.pipeline(transaction=True) as pipe:
            pipe.unlink(keys[0], keys[2], keys[5])
            pipe.hset(keys[0], mapping=self._sealed(thread, vars(challenge)))
            pipe.expire(keys[0], self._code_ttl + _GRACE)
            # outlives a lock and a mail that failed, so that a code can be sent again without asking for the address
            pipe.set(
                keys[4], self._sealed(thread, {"address": challenge.address})["address"], ex=self._code_ttl + _GRACE
            )
            await pipe.execute()

    async def asked(self, thread: str) -> str | None:
        """The address of the last challenge, until it is proved or an hour after its code has expired."""
        async with _fail_closed():
            found = await self._redis.get(_keys(thread)[4])
        return self._opened(thread, {"address": found})["address"] if found is not None else None

    async def withdraw(self, thread: str) -> None:
        async with _fail_closed():
            await self._redis.unlink(_keys(thread)[0])

    async def attempt(self, thread: str, challenge: Challenge, seal: str, *, message_id: str, now: float) -> Met:
        """Compare and count in one step: parallel guesses cannot get more tries than there are."""
        remember = self._code_ttl + _GRACE
        args: list[str | float] = [message_id, challenge.nonce, seal, now, remember, self._level_ttl]
        async with _fail_closed():
            return cast("Met", _text(await self._attempt(_keys(thread)[:5], args)))

    async def ask(self, thread: str, proof: Proof, kind: Kind, nonce: str, tries: int) -> None:
        """The proof becomes a question: once, so that nobody gets its tries anew by looking again."""
        _, _, last, proved, _, question, _ = _keys(thread)
        args: list[str | int] = [proof.message_id, kind, nonce, tries, self._code_ttl + _GRACE]
        async with _fail_closed():
            await self._ask([proved, question, last], args)

    async def answer(self, thread: str, question: Question, customer: str | None, *, message_id: str) -> Met:
        """Count one answer, which fits `customer` or nobody: parallel ones cannot get more tries than there are."""
        _, taken, last, proved, _, asked, _ = _keys(thread)
        args: list[str | int] = [message_id, question.nonce, customer or "", self._code_ttl + _GRACE]
        async with _fail_closed():
            return cast("Met", _text(await self._answer([asked, taken, last, proved], args)))

    async def unchecked(self, thread: str, message_id: str) -> None:
        """An answer that could not be compared: it is neither right nor wrong, and may be given again."""
        key = _keys(thread)[2]
        async with _fail_closed(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping={"message_id": message_id, "outcome": "unchecked"})
            pipe.expire(key, self._code_ttl + _GRACE)
            await pipe.execute()

    async def note(self, thread: str, caller: Caller) -> None:
        """For an hour, or until the next message."""
        key = _keys(thread)[6]
        async with _fail_closed(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping=self._sealed(thread, vars(caller)))
            pipe.expire(key, AN_HOUR)
            await pipe.execute()

    async def caller(self, thread: str) -> Caller:
        async with _fail_closed():
            return _caller(self._opened(thread, await cast("Any", self._redis.hgetall(_keys(thread)[6]))))

    async def was_taken(self, thread: str, message_id: str) -> bool:
        async with _fail_closed():
            return bool(await self._redis.sismember(_keys(thread)[1], message_id))

    async def prove(self, thread: str, email: str, level: Level) -> None:
        """Note an address that somebody we trust has verified."""
        keys = _keys(thread)
        async with _fail_closed(), self._redis.pipeline(transaction=True) as pipe:
            pipe.unlink(keys[3], keys[5])
            pipe.hset(keys[3], mapping=self._sealed(thread, {"email": email, "level": level, "message_id": ""}))
            pipe.expire(keys[3], self._level_ttl)
            await pipe.execute()

    async def settle(self, thread: str, proof: Proof, outcome: Outcome) -> None:
        """The proof has been used: what remains is what became of it."""
        keys = _keys(thread)
        async with _fail_closed(), self._redis.pipeline(transaction=True) as pipe:
            pipe.unlink(keys[3])
            if proof.message_id:
                pipe.hset(keys[2], mapping={"message_id": proof.message_id, "outcome": outcome})
                pipe.expire(keys[2], self._code_ttl + _GRACE)
            await pipe.execute()

    async def standing(self, thread: str) -> Standing:
        keys = _keys(thread)
        async with _fail_closed(), self._redis.pipeline(transaction=True) as pipe:
            pipe.hgetall(keys[0])
            pipe.hgetall(keys[2])
            pipe.hgetall(keys[3])
            pipe.ttl(keys[3])
            pipe.hgetall(keys[5])
            pipe.hgetall(keys[6])
            challenge, last, proof, seconds, question, caller = await pipe.execute()
        return Standing(
            challenge=_challenge(self._opened(thread, challenge)),
            last=_last(self._opened(thread, last)),
            proof=_proof(self._opened(thread, proof), seconds),
            question=_question(self._opened(thread, question)),
            caller=_caller(self._opened(thread, caller)),
        )

    def _sealed(self, thread: str, fields: Mapping[str, Any]) -> dict[Any, Any]:
        """With its addresses sealed; the empty one says that there is none, and stays empty."""
        place = _place(thread)
        return {
            name: self._keyring.seal(value, place=place) if name in _ADDRESSES and value else value
            for name, value in fields.items()
        }

    def _opened(self, thread: str, found: Mapping[bytes | str, bytes | str]) -> dict[str, str]:
        texts = {_text(name): _text(value) for name, value in found.items()}
        return {
            name: self._keyring.open(value, place=_place(thread)) if name in _ADDRESSES else value
            for name, value in texts.items()
        }


async def forget(redis: Redis, thread: str) -> None:
    """All that is kept of the thread: addresses, challenges, what became of them."""
    async with _fail_closed():
        await redis.unlink(*_keys(thread))


@asynccontextmanager
async def _fail_closed() -> AsyncIterator[None]:
    try:
        yield
    except RedisError as error:
        raise Unavailable("Codes cannot be checked right now.") from error


def _place(thread: str) -> str:
    """Where the seals of its addresses stand, whichever key they move to."""
    return f"identity:{thread}"


def _keys(thread: str) -> list[str]:
    return [f"identity:{{{thread}}}:{kind}" for kind in _KINDS]


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _challenge(fields: dict[str, str]) -> Challenge | None:
    if not fields:
        return None
    return Challenge(
        address=fields["address"],
        email=fields["email"],
        nonce=fields["nonce"],
        seal=fields["seal"],
        tries_left=int(fields["tries_left"]),
        expires=float(fields["expires"]),
    )


def _last(fields: dict[str, str]) -> Attempt | None:
    if not fields:
        return None
    return Attempt(message_id=fields["message_id"], outcome=cast("Outcome", fields["outcome"]))


def _proof(fields: dict[str, str], seconds: int) -> Proof | None:
    if not fields:
        return None
    level = cast("Level", int(fields["level"]))
    return Proof(
        email=fields["email"],
        level=level,
        message_id=fields["message_id"],
        seconds_left=max(1, seconds),
        customer=fields.get("customer", ""),
    )


def _question(fields: dict[str, str]) -> Question | None:
    if not fields:
        return None
    kind = cast("Kind", fields["kind"])
    return Question(email=fields["email"], kind=kind, nonce=fields["nonce"], tries_left=int(fields["tries_left"]))


def _caller(fields: dict[str, str]) -> Caller:
    return Caller(network=fields.get("network", ""), email=fields.get("email", ""))
