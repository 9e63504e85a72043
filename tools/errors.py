"""Every error that Counterfoil raises on purpose.

CounterfoilError
├── InvalidRequest           400  the caller's words do not fit
│   ├── Unprocessable        422  well formed, but a field is unknown, reserved or out of range
│   ├── SignatureInvalid          a webhook delivery that does not verify, for whatever reason
│   └── NoEvent                   one that does, and holds no event
├── Unauthorized             401  no token, or one that does not verify
├── Forbidden                403  known, but not the one who may do this
│   ├── ProofNeeded               the customer has to prove anew who they are
│   ├── BeyondYourLimit           more than this person may approve
│   └── StateIsOurs               no client writes state, staff neither
├── NotFound                 404  not there, or not yours: the two look alike
├── Conflict                 409  the world moved: read again, then decide
│   ├── ThreadBusy                another run holds the thread
│   ├── StaleDecision             the digest named is not the one that is waiting
│   ├── IllegalTransition         the action is not in a state that allows this
│   │   └── NotAutomatic          automatic actions are switched off: a person has to approve it first
│   ├── AlreadyUnderWay           the same is under way for the same charge, invoice or subscription
│   ├── EvidenceChanged           Stripe no longer says what the proposal was built on
│   └── PolicyDenies              policy does not allow what a colleague proposed
├── TooLarge                 413
├── RateLimited              429  carries `retry_after`
├── ConfigurationError       500  a setting is missing or wrong; says which and what to do
└── Unavailable              503  a service that we need does not answer
    ├── LedgerUnavailable         the database: nothing was written, and whoever can wait tries again
    ├── WebhooksOff               no secret is set to verify deliveries with
    ├── BillingUnavailable        Stripe
    │   ├── NotSent               a write never left, because Stripe had fallen silent: nothing happened
    │   └── OutcomeUnknown        a write was sent and no answer came: reconcile, never retry blindly
    ├── KnowledgeUnavailable      Chroma
    ├── MailUnavailable           SMTP
    └── ModelUnavailable          the language model
BillingRefused (409) is Stripe saying no to a write, with its stable `reason`.

`message` is written for people and may be shown; `code` is stable for machines. What a library said is
chained with `raise ... from`, for the log alone.
"""

from typing import ClassVar


class CounterfoilError(Exception):
    """Base of the tree: a sentence for people, a code for machines, an HTTP status."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    default: ClassVar[str] = "Something went wrong on our side."

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.default
        super().__init__(self.message)


class InvalidRequest(CounterfoilError):
    code = "invalid_request"
    status = 400
    default = "The request could not be read."


class Unprocessable(InvalidRequest):
    code = "unprocessable"
    status = 422
    default = "The request has a field that is unknown, reserved or out of range."


class SignatureInvalid(InvalidRequest):
    code = "invalid_signature"
    default = "This delivery does not verify."


class NoEvent(InvalidRequest):
    code = "no_event"
    default = "The body holds no event."


class Unauthorized(CounterfoilError):
    code = "unauthorized"
    status = 401
    default = "A valid token is needed. POST /sessions returns one."


class Forbidden(CounterfoilError):
    code = "forbidden"
    status = 403
    default = "Your role does not allow this."


class ProofNeeded(Forbidden):
    code = "proof_needed"
    default = "Please prove who you are again: ask the assistant for a new code, type it there, then come back."


class BeyondYourLimit(Forbidden):
    code = "beyond_your_limit"
    default = "This is more than you may approve. Ask somebody who may."


class StateIsOurs(Forbidden):
    code = "state_is_ours"
    default = (
        "State is written by runs alone, for it decides over identity and money: nobody sets, forks or replays it. "
        "Send a message, or decide at the desk."
    )


class NotFound(CounterfoilError):
    code = "not_found"
    status = 404
    default = "Not found."


class Conflict(CounterfoilError):
    code = "conflict"
    status = 409
    default = "The state has changed. Read it again, then decide."


class ThreadBusy(Conflict):
    code = "thread_busy"
    default = "Thread is already running a task. Wait for it to finish or cancel it."


class StaleDecision(Conflict):
    code = "stale_decision"
    default = "This decision names a proposal that is no longer the one waiting. Read it again, then decide."


class IllegalTransition(Conflict):
    code = "illegal_transition"
    default = "The action is not in a state that allows this."


class NotAutomatic(IllegalTransition):
    code = "not_automatic"
    default = "Automatic actions are switched off, so a person has to approve this first."


class AlreadyUnderWay(Conflict):
    code = "already_under_way"
    default = "The same thing is under way already. Wait until it is done."


class EvidenceChanged(Conflict):
    code = "evidence_changed"
    default = "The billing data changed since this was proposed, so it was not carried out."


class PolicyDenies(Conflict):
    code = "policy_denies"
    default = "Policy does not allow this."


class BillingRefused(Conflict):
    """Stripe answered a write with a definite no; nothing happened. `reason` is Stripe's error code."""

    code = "billing_refused"
    default = "The payment provider refused this."

    def __init__(self, message: str | None = None, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class TooLarge(CounterfoilError):
    code = "too_large"
    status = 413
    default = "The request is too large."


class RateLimited(CounterfoilError):
    code = "rate_limited"
    status = 429
    default = "Too many requests. Please wait a moment."

    def __init__(self, message: str | None = None, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConfigurationError(CounterfoilError):
    code = "configuration"
    default = "A setting is missing or wrong."


class Unavailable(CounterfoilError):
    code = "unavailable"
    status = 503
    default = "A service that is needed does not answer."


class LedgerUnavailable(Unavailable):
    """The database does not answer."""


class WebhooksOff(Unavailable):
    """Rather than let anything through unverified. Stripe tries again for three days."""

    code = "webhooks_off"
    default = "Webhooks are not received here: STRIPE_WEBHOOK_SECRET is not set."


class BillingUnavailable(Unavailable):
    code = "billing_unavailable"
    default = "Billing data cannot be reached right now."


class NotSent(BillingUnavailable):
    """A write that did not leave us: nothing happened, and it may be asked for again when Stripe answers."""

    code = "not_sent"
    default = "The payment provider does not answer right now, so nothing was changed."


class OutcomeUnknown(BillingUnavailable):
    """A write left us and no answer came back: it may or may not have happened."""

    code = "outcome_unknown"
    default = "It is not yet known whether this went through."


class KnowledgeUnavailable(Unavailable):
    code = "knowledge_unavailable"
    default = "The policy documents cannot be reached right now."


class MailUnavailable(Unavailable):
    code = "mail_unavailable"
    default = "Mail cannot be sent right now."


class ModelUnavailable(Unavailable):
    code = "model_unavailable"
    default = "The language model does not answer."
