"""Stripe's refusals: a status and the body of `{"error": ...}`, with the codes and params that Stripe documents."""

from typing import Any

Json = dict[str, Any]


class StripeFailure(Exception):
    """Raised anywhere below a route; the gate turns it into Stripe's error body."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.extra = extra

    def body(self, request_id: str) -> Json:
        error: Json = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": error | self.extra}


class ValidationFailure(StripeFailure):
    """The parameters do not fit: nothing ran, so no idempotency key is used up."""


def no_such(label: str, identifier: str, *, param: str = "id", status: int = 404) -> StripeFailure:
    message = f"No such {label}: '{identifier}'"
    return StripeFailure(message, status=status, code="resource_missing", param=param)


def missing(param: str) -> ValidationFailure:
    return ValidationFailure(f"Missing required param: {param}.", code="parameter_missing", param=param)


def not_an_integer(param: str, value: object) -> ValidationFailure:
    return ValidationFailure(f"Invalid integer: {value}", code="parameter_invalid_integer", param=param)


def card_error(message: str, *, code: str, decline_code: str | None = None, **extra: Any) -> StripeFailure:
    if decline_code:
        extra["decline_code"] = decline_code
    return StripeFailure(message, status=402, kind="card_error", code=code, **extra)
