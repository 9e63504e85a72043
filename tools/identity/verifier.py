"""`Verifier`: proves an e-mail address with a one-time code and binds the Stripe customer it belongs to.

Nothing that happens before the proof depends on whether there is an account: the code is always mailed to
the address that was typed, and Stripe is asked only after it came back. A phone number has to be looked up
first; there the mail goes out behind the answer, so that neither words nor time tell.

Proving and binding are two steps. The proof is kept in Redis until the ledger has the binding, so a Stripe
that does not answer, or a process that dies in between, costs the customer nothing: `session()` and the same
message again both take the step that is missing.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from redis.asyncio import Redis

from tools.billing.types import Customer
from tools.errors import BillingUnavailable, ConfigurationError, CounterfoilError, MailUnavailable, Unprocessable
from tools.identity.challenges import Challenge, Challenges, Proof, Standing
from tools.identity.codes import codes_in, new_code, new_nonce, seal, without_codes, without_told_codes
from tools.identity.types import Level, Outcome, Session
from tools.ledger.types import AuditEntry, Identity

_THREAD_SENDS = 3
_ADDRESS_SENDS = 5
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{3,253}")
_PHONE = re.compile(r"\+?[0-9 ()./-]{5,30}")

log = structlog.get_logger()


class Binder(Protocol):
    """The part of the ledger that is used here."""

    async def bind_identity(
        self, thread_id: str, *, level: Level, email: str | None, customer: str | None, ttl_seconds: float
    ) -> Identity: ...
    async def identity(self, thread_id: str) -> Identity: ...
    async def unbind_identity(self, thread_id: str) -> None: ...
    async def audit(self, event: str, /, **data: Any) -> AuditEntry: ...


class Post(Protocol):
    async def send(self, to: str, subject: str, text: str) -> None: ...


class Directory(Protocol):
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
        company: str = "Acme",
        code_ttl: int = 600,
        tries: int = 3,
        level_ttl: int = 1800,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if len(pepper) < 16:
            raise ConfigurationError("The pepper for one-time codes needs at least 16 random bytes.")
        self._challenges = Challenges(redis, code_ttl=code_ttl, level_ttl=level_ttl)
        self._ledger = ledger
        self._mailer = mailer
        self._billing = billing
        self._pepper = pepper
        self._company = company
        self._code_ttl = code_ttl
        self._tries = tries
        self._clock = clock
        self._posting: set[asyncio.Task[None]] = set()

    async def start(self, thread_id: str, email: str) -> None:
        """Mail a code to `email`. Raises Unprocessable, RateLimited, MailUnavailable, Unavailable."""
        address = _checked(_EMAIL, email, "That does not look like an e-mail address.")
        await self._count(thread_id, address)
        code = await self._challenge(thread_id, address, address)
        try:
            await self._post(address, code)
        except MailUnavailable:
            await self._challenges.withdraw(thread_id)
            await self._uncount(thread_id, address)
            raise

    async def start_by_phone(self, thread_id: str, phone: str) -> None:
        """Mail a code to the e-mail on file for `phone`, if there is exactly one.

        Raises Unprocessable, RateLimited, BillingUnavailable, Unavailable; never whether anybody was found.
        """
        number = _checked(_PHONE, phone, "That does not look like a phone number.")
        await self._count(thread_id, re.sub(r"\D", "", number))
        found = {customer.email for customer in await self._billing.find_by_phone(number)}
        email = (found.pop() or "") if len(found) == 1 else ""
        code = await self._challenge(thread_id, number, email)
        if email:
            task = asyncio.create_task(self._post_behind(email, code))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)

    async def resend(self, thread_id: str) -> bool:
        """A fresh code to where the last one went. False when there is nothing to send again.

        Counts and raises like `start`, or `start_by_phone` when a phone number was given.
        """
        address = await self._challenges.asked(thread_id)
        if address is None:
            return False
        await (self.start if "@" in address else self.start_by_phone)(thread_id, address)
        return True

    async def take_code(self, thread_id: str, text: str, *, message_id: str) -> str:
        """Take a code out of a message before anything else sees it. Returns the text without it.

        With no challenge pending nothing is tried, and only what is plainly a code is taken out. Else one code
        is an attempt; several are taken out and none of them is tried. The same `message_id` again changes
        nothing and gets the same answer.
        """
        codes = codes_in(text)
        if not codes:
            return text
        if await self._challenges.was_taken(thread_id, message_id):
            await self._settle(thread_id)
            return without_codes(text)
        if (await self._challenges.standing(thread_id)).challenge is None:
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
        if bound.level == 2 and bound.email and bound.email.casefold() == address.casefold():
            return
        await self._challenges.prove(thread_id, address, 1)
        await self._settle(thread_id)

    async def session(self, thread_id: str) -> Session:
        """What is known now. A proof that waits for Stripe is tried again."""
        standing = await self._settle(thread_id)
        bound = await self._ledger.identity(thread_id)
        challenge = self._pending(standing)
        locked = standing.last is not None and standing.last.outcome == "locked"
        return Session(
            level=bound.level,
            email=standing.proof.email if standing.proof else bound.email,
            customer=bound.customer,
            challenge="pending" if challenge else "locked" if locked else "none",
            address=challenge.address if challenge else None,
            tries_left=challenge.tries_left if challenge else 0,
            last=standing.last,
        )

    async def aclose(self) -> None:
        """Wait for the mails that are on their way."""
        await asyncio.gather(*self._posting)

    def _pending(self, standing: Standing) -> Challenge | None:
        challenge = standing.challenge
        return challenge if challenge and challenge.expires > self._now() else None

    def _now(self) -> float:
        return self._clock().timestamp()

    async def _count(self, thread: str, address: str) -> None:
        await self._challenges.count(f"thread:{thread}", _THREAD_SENDS)
        await self._challenges.count(f"address:{self._hidden(address)}", _ADDRESS_SENDS)

    async def _uncount(self, thread: str, address: str) -> None:
        await self._challenges.uncount(f"thread:{thread}")
        await self._challenges.uncount(f"address:{self._hidden(address)}")

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

    async def _settle(self, thread: str) -> Standing:
        """Bind what is proved, if anything is. Returns how the thread stands afterwards."""
        standing = await self._challenges.standing(thread)
        if standing.proof is None:
            return standing
        try:
            customers = await self._billing.find_by_email(standing.proof.email)
        except BillingUnavailable:
            # whoever was bound before is not the one who has just proved to be somebody
            await self._ledger.unbind_identity(thread)
            return standing
        outcome = await self._bind(thread, standing.proof, customers)
        await self._challenges.settle(thread, standing.proof, outcome)
        return await self._challenges.standing(thread)

    async def _bind(self, thread: str, proof: Proof, customers: tuple[Customer, ...]) -> Outcome:
        if len(customers) > 1:
            await self._ledger.unbind_identity(thread)
            return "ambiguous"
        customer = customers[0].id if customers else None
        await self._ledger.bind_identity(
            thread,
            level=proof.level if customer else 0,
            email=proof.email,
            customer=customer,
            ttl_seconds=proof.seconds_left,
        )
        return "verified" if customer else "no_account"


def _checked(pattern: re.Pattern[str], text: str, message: str) -> str:
    stripped = text.strip()
    if len(stripped) > 254 or not pattern.fullmatch(stripped):
        raise Unprocessable(message)
    return stripped
