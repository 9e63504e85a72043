"""What wakes a case that waits: a word on exactly its digest."""

from pydantic import BaseModel, ConfigDict, Field, create_model

from tools.ledger.types import ActionState


def word_on(digest: str | None) -> type[BaseModel]:
    """The answer that fits. The decision itself is in the ledger; this only says of which action, and how far it is.

    A schema with the digest in it, because what does not fit a schema is refused before it is saved. An answer that
    the node refused by itself would stay with the checkpoint, and be given again to every later attempt.
    """
    return create_model(
        "Decided",
        __config__=ConfigDict(strict=True, extra="forbid"),
        digest=(str, Field(pattern=f"^{digest or 'none'}$")),
        state=(ActionState, ...),
    )
