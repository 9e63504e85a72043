"""Stripe's promise for POST: one key, one execution; the first answer is given again for 24 hours, errors included."""

import hashlib
from itertools import islice

from sandbox.stripe.brackets import Tree
from sandbox.stripe.errors import Json, StripeFailure, ValidationFailure
from sandbox.stripe.params import flatten
from sandbox.stripe.world import World

KEPT_SECONDS = 24 * 3600
LONGEST_KEY = 255
MOST_AT_ONCE = 100


def begin(world: World, key: str, path: str, tree: Tree) -> Json | None:
    """The answer to give again, or None after marking the key as running."""
    if len(key) > LONGEST_KEY:
        raise ValidationFailure(f"Idempotency keys must be at most {LONGEST_KEY} characters long.")
    digest = hashlib.sha256(repr(list(flatten(tree))).encode()).hexdigest()
    _forget_expired(world)
    known = world.answers.get(key)
    if known and "status" in known and known["at"] <= world.now() - KEPT_SECONDS:
        known = world.answers.pop(key) and None
    if known is None:
        world.answers[key] = {"path": path, "digest": digest, "at": world.now()}
        return None
    _check_same(key, known, path, digest)
    if "status" not in known:
        raise StripeFailure(
            "There is currently another in-progress request using this Idempotent Key (that probably means you "
            f"submitted twice, and the other request is still going through): {key}. Please try again later.",
            status=409,
            code="idempotency_key_in_use",
        )
    return known


def _forget_expired(world: World) -> None:
    oldest = world.now() - KEPT_SECONDS
    # The oldest come first.
    for key, answer in list(islice(world.answers.items(), MOST_AT_ONCE)):
        if "status" not in answer or answer["at"] > oldest:
            break
        del world.answers[key]
        world.answered.add(key)


def _check_same(key: str, known: Json, path: str, digest: str) -> None:
    advice = f"Try using a key other than '{key}' if you meant to execute a different request."
    if known["path"] != path:
        message = (
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{path}' vs '{known['path']}'). {advice}"
        )
        raise StripeFailure(message, kind="idempotency_error")
    if known["digest"] != digest:
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            + advice
        )
        raise StripeFailure(message, kind="idempotency_error")


def finish(world: World, key: str, status: int, body: Json, request_id: str) -> None:
    world.answers[key] = world.answers[key] | {"status": status, "body": body, "request_id": request_id}
    world.answered.add(key)


def forget(world: World, key: str) -> None:
    """The request never ran: the key is free again."""
    world.answers.pop(key, None)
