"""`Verifier`: proves an e-mail address with a one-time code and binds the Stripe customer it belongs to.

Nothing that happens before the proof depends on whether there is an account: the code is always mailed to
the address that was typed, and Stripe is asked only after it came back. A phone number has to be looked up
first; there the mail goes out behind the answer, and well behind it: the work of sending would slow the answer to
those who have an account.

Proving and binding are two steps. The proof is kept in Redis until the ledger has the binding, so a Stripe
that does not answer, or a process that dies in between, costs the customer nothing: `session()` and the same
message again both take the step that is missing.

An address may have several accounts. Then the proof becomes a question (`telling_apart`), and whoever answers it is
bound like somebody whose address has one.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import structlog
from redis.asyncio import Redis

from tools.billing.types import Customer
from tools.errors import (
    BillingUnavailable,
    ConfigurationError,
    CounterfoilError,
    MailUnavailable,
    RateLimited,
    Unprocessable,
)
from tools.identity.challenges import Caller, Challenge, Challenges, Proof, Question, Standing
from tools.identity.codes import codes_in, new_code, new_nonce, seal, without_codes, without_told_codes
from tools.identity.telling_apart import (
    Pictures,
    Secrets,
    answers_in,
    owner,
    question_for,
    secrets_of,
    without_answer,
)
from tools.identity.types import Level, Outcome, Session
from tools.ledger.types import AuditEntry, Identity
from tools.sealing.keyring import Keyring

_THREAD_SENDS = 3
_ADDRESS_SENDS = 5
_QUESTIONS_A_DAY = 3
A_DAY = 86_400
BEHIND = 1.5
"""Seconds. By then the answer to a phone number is out."""
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{3,253}")
_PHONE = re.compile(r"\+?[0-9 ()./-]{5,30}")

log = structlog.get_logger()


class Binder(Protocol):
    """The part of the ledger that is used here."""

    async def bind_identity(
        self, thread_id: str, *, level: Level, email: str | None, customer: str | None, ttl_seconds: float
    ) -> Identity: ...
    async def identity(self, thread_id: str) -> Identity: ...
    async def proved_address(self, thread_id: str) -> str | None: ...
    async def unbind_identity(self, thread_id: str) -> None: ...
    async def audit(self, event: str, /, **data: Any) -> AuditEntry: ...
    def recording(self, **ids: str | None) -> AbstractAsyncContextManager[None]: ...


class Post(Protocol):
    async def send(self, to: str, subject: str, text: str) -> None: ...


class Directory(Pictures, Protocol):
    """The part of billing that is used here."""

    async def find_by_email(self, email: str) -> tuple[Customer, ...]: ...
    async def find_by_phone(self, phone: str) -> tuple[Customer, ...]: ...


class Verifier:
    """Fails closed: with Redis or the ledger away, nobody gets a level (`Unavailable`)."""

    def __init__(
        self,
        redis: Redis,
        ledger: Binder,
        mailer: Post,
        billing: Directory,
        *,
        pepper: bytes,
        keys: Keyring,
        company: str = "Acme",
        code_ttl: int = 600,
        tries: int = 3,
        level_ttl: int = 1800,
        codes_per_network: int = 20,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if len(pepper) < 16:
            raise ConfigurationError("The pepper for one-time codes needs at least 16 random bytes.")
        self._challenges = Challenges(redis, keys, code_ttl=code_ttl, level_ttl=level_ttl)
        self._ledger = ledger
        self._mailer = mailer
        self._billing = billing
        self._pepper = pepper
        self._company = company
        self._code_ttl = code_ttl
        self._tries = tries
        self._codes_per_network = codes_per_network
        self._clock = clock
        self._posting: set[asyncio.Task[None]] = set()
        self._hurry = asyncio.Event()

    async def start(self, thread_id: str, email: str) -> None:
        """Mail a code to `email`. Raises Unprocessable, RateLimited, MailUnavailable, Unavailable."""
        address = _checked(_EMAIL, email, "That does not look like an e-mail address.")
        counted = await self._count(thread_id, address)
        code = await self._challenge(thread_id, address, address)
        try:
            await self._post(address, code)
        except MailUnavailable:
            await self._challenges.withdraw(thread_id)
            for name in counted:
                await self._challenges.uncount(name)
            raise

    async def start_by_phone(self, thread_id: str, phone: str) -> None:
        """Mail a code to the e-mail on file for `phone`, if there is exactly one.

        Raises Unprocessable, RateLimited, BillingUnavailable, Unavailable; never whether anybody was found.
        """
        number = _checked(_PHONE, phone, "That does not look like a phone number.")
        await self._count(thread_id, re.sub(r"\D", "", number))
        async with self._ledger.recording(thread=thread_id):
            found = {customer.email for customer in await self._billing.find_by_phone(number)}
        email = (found.pop() or "") if len(found) == 1 else ""
        code = await self._challenge(thread_id, number, email)
        if email:
            task = asyncio.create_task(self._post_behind(email, code))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)

    async def resend(self, thread_id: str) -> Literal["email", "phone"] | None:
        """A fresh code to where the last one went, and what had been given. None when there is nothing to send again.

        Counts and raises like `start`, or `start_by_phone` when a phone number was given.
        """
        address = await self._challenges.asked(thread_id)
        if address is None:
            return None
        given: Literal["email", "phone"] = "email" if "@" in address else "phone"
        await (self.start if given == "email" else self.start_by_phone)(thread_id, address)
        return given

    async def note_caller(self, thread_id: str, *, network: str, signed_in_as: str | None = None) -> None:
        """Whose codes count for the network of this request, and where one may go unasked."""
        await self._challenges.note(thread_id, Caller(network=self._hidden(network), email=signed_in_as or ""))

    async def take_code(self, thread_id: str, text: str, *, message_id: str) -> str:
        """Take a code, or the answer to a question, out of a message before anything else sees it.

        Returns the text without it. With no challenge pending nothing is tried, and only what is plainly a code is
        taken out. Else one code is an attempt; several are taken out and none of them is tried. So it is with answers
        while something is asked. The same `message_id` again changes nothing and gets the same answer.
        """
        codes = codes_in(text)
        if await self._challenges.was_taken(thread_id, message_id):
            await self._settle(thread_id)
            return without_codes(text) if codes else without_answer(text)
        standing = await self._challenges.standing(thread_id)
        if standing.question is not None:
            return await self._take_answer(thread_id, standing.question, text, message_id)
        if standing.challenge is None:
            return without_told_codes(text)
        if len(codes) == 1:
            await self._attempt(thread_id, codes[0], message_id)
        return without_codes(text)

    async def sign_in(self, thread_id: str, email: str) -> None:
        """Bind a customer whom the host site has signed in with a verified e-mail: level 1.

        A level 2 of the same address stays; anybody else's binding is replaced.
        """
        address = _checked(_EMAIL, email, "That does not look like an e-mail address.")
        bound = await self._ledger.identity(thread_id)
        if bound.level == 2 and _same(bound.email, address):
            return
        asked = (await self._challenges.standing(thread_id)).question
        if asked is not None and _same(asked.email, address):
            return
        await self._challenges.prove(thread_id, address, 1)
        await self._settle(thread_id)

    async def session(self, thread_id: str) -> Session:
        """What is known now. A proof that waits for Stripe is tried again."""
        standing = await self._settle(thread_id)
        bound = await self._ledger.identity(thread_id)
        challenge, question = self._pending(standing), standing.question
        waits = challenge or question
        locked = standing.last is not None and standing.last.outcome == "locked"
        return Session(
            level=bound.level,
            email=standing.proof.email if standing.proof else bound.email,
            customer=bound.customer,
            challenge="pending" if challenge else "locked" if locked else "none",
            address=challenge.address if challenge else None,
            tries_left=waits.tries_left if waits else 0,
            last=standing.last,
            question=question.kind if question else None,
            reachable=await self._reachable(thread_id, standing),
        )

    async def aclose(self) -> None:
        """Send at once what is to be mailed behind an answer, and wait for it."""
        self._hurry.set()
        await asyncio.gather(*self._posting)
        self._hurry.clear()

    def _pending(self, standing: Standing) -> Challenge | None:
        challenge = standing.challenge
        return challenge if challenge and challenge.expires > self._now() else None

    def _now(self) -> float:
        return self._clock().timestamp()

    async def _reachable(self, thread: str, standing: Standing) -> str | None:
        """Not the address that the host site names once it is known to have no account."""
        proved = await self._ledger.proved_address(thread)
        if proved or not standing.caller.email:
            return proved
        known = (await self._ledger.identity(thread)).email
        return None if _same(known, standing.caller.email) else standing.caller.email

    async def _count(self, thread: str, address: str) -> list[str]:
        """What was counted. The network first: one that has had its share uses up nobody's address."""
        network = (await self._challenges.caller(thread)).network
        limits = {
            **({f"network:{network}": self._codes_per_network} if network else {}),
            f"thread:{thread}": _THREAD_SENDS,
            f"address:{self._hidden(address)}": _ADDRESS_SENDS,
        }
        for name, limit in limits.items():
            await self._challenges.count(name, limit)
        return list(limits)

    def _hidden(self, address: str) -> str:
        return hmac.new(self._pepper, address.casefold().encode(), hashlib.sha256).hexdigest()

    async def _challenge(self, thread: str, address: str, email: str) -> str:
        """Store a challenge; returns its code. Without an e-mail it looks the same and cannot be met."""
        code, nonce = new_code(), new_nonce()
        met = seal(self._pepper, thread=thread, address=address, nonce=nonce, code=code)
        challenge = Challenge(
            address=address,
            email=email,
            nonce=nonce,
            seal=met if email else secrets.token_hex(32),
            tries_left=self._tries,
            expires=self._now() + self._code_ttl,
        )
        await self._ledger.audit("identity.code_asked", thread=thread)
        await self._challenges.put(thread, challenge)
        return code

    async def _post(self, email: str, code: str) -> None:
        minutes = max(1, self._code_ttl // 60)
        text = (
            f"Your {self._company} code is {code}. It is valid for {minutes} minutes.\n\n"
            "Type it into the chat that asked for it. We will never call you to ask for it.\n"
            "If you did not ask for a code, you can ignore this mail: nobody has been let in.\n"
        )
        await self._mailer.send(email, f"Your {self._company} code", text)

    async def _post_behind(self, email: str, code: str) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), BEHIND)
        try:
            await self._post(email, code)
        except CounterfoilError as error:
            # saying so to the customer would say that there is an account
            log.warning("identity.code_not_mailed", error=error.code)

    async def _attempt(self, thread: str, code: str, message_id: str) -> None:
        # a challenge that is replaced in mid-attempt leaves this one to meet the new one
        for _ in range(3):
            challenge = (await self._challenges.standing(thread)).challenge
            if challenge is None:
                return
            made = seal(self._pepper, thread=thread, address=challenge.address, nonce=challenge.nonce, code=code)
            met = await self._challenges.attempt(thread, challenge, made, message_id=message_id, now=self._now())
            if met != "replaced":
                break
        await self._ledger.audit("identity.code_taken", thread=thread, message=message_id, met=met)
        await self._settle(thread)

    async def _take_answer(self, thread: str, question: Question, text: str, message_id: str) -> str:
        answers = answers_in(question.kind, text, self._clock().date())
        if not answers:
            return without_told_codes(text)
        try:
            async with self._ledger.recording(thread=thread):
                known = await self._secrets(await self._billing.find_by_email(question.email))
        except BillingUnavailable:
            await self._challenges.unchecked(thread, message_id)
            return without_answer(text)
        fits = owner(question.kind, answers, known)
        met = await self._challenges.answer(thread, question, fits, message_id=message_id)
        await self._ledger.audit("identity.answer_taken", thread=thread, message=message_id, met=met)
        await self._settle(thread)
        return without_answer(text)

    async def _secrets(self, customers: tuple[Customer, ...]) -> dict[str, Secrets]:
        return {customer.id: await secrets_of(self._billing, customer.id) for customer in customers}

    async def _settle(self, thread: str) -> Standing:
        """Bind what is proved, if anything is. Returns how the thread stands afterwards."""
        standing = await self._challenges.standing(thread)
        proof = standing.proof
        if proof is None:
            return standing
        try:
            async with self._ledger.recording(thread=thread):
                customers = await self._billing.find_by_email(proof.email)
                outcome = await self._bind(thread, proof, await self._meant(thread, proof, customers))
        except BillingUnavailable:
            # whoever was bound before is not the one who has just proved to be somebody
            await self._ledger.unbind_identity(thread)
            return standing
        if outcome != "several":
            await self._challenges.settle(thread, proof, outcome)
        return await self._challenges.standing(thread)

    async def _meant(self, thread: str, proof: Proof, customers: tuple[Customer, ...]) -> tuple[Customer, ...]:
        """Of several, the one whose secret was told, now or for the level that they have still."""
        if proof.customer:
            return tuple(one for one in customers if one.id == proof.customer)
        bound = await self._ledger.identity(thread)
        still = tuple(one for one in customers if one.id == bound.customer and _same(bound.email, proof.email))
        return still or customers

    async def _ask(self, thread: str, proof: Proof, customers: tuple[Customer, ...]) -> Outcome:
        """A code is what a question has to be earned with: whom the host site vouches for has to type one first."""
        await self._ledger.unbind_identity(thread)
        if proof.level < 2:
            return "ambiguous"
        kind = question_for(await self._secrets(customers))
        if kind is None:
            return "ambiguous"
        try:
            await self._challenges.count(f"questions:{self._hidden(proof.email)}", _QUESTIONS_A_DAY, window=A_DAY)
        except RateLimited:
            return "ambiguous"
        await self._challenges.ask(thread, proof, kind, new_nonce(), self._tries)
        return "several"

    async def _bind(self, thread: str, proof: Proof, customers: tuple[Customer, ...]) -> Outcome:
        if len(customers) > 1:
            return await self._ask(thread, proof, customers)
        customer = customers[0].id if customers else None
        await self._ledger.bind_identity(
            thread,
            level=proof.level if customer else 0,
            email=proof.email,
            customer=customer,
            ttl_seconds=proof.seconds_left,
        )
        return "verified" if customer else "no_account"


def _same(one: str | None, other: str) -> bool:
    return one is not None and one.casefold() == other.casefold()


def _checked(pattern: re.Pattern[str], text: str, message: str) -> str:
    stripped = text.strip()
    if len(stripped) > 254 or not pattern.fullmatch(stripped):
        raise Unprocessable(message)
    return stripped
