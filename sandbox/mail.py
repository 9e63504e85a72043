"""A mail server that delivers nowhere: every message lands in an inbox that tests and the demo can read."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

Mail = dict[str, Any]
LARGEST_MESSAGE = 1_000_000


@dataclass
class Inbox:
    """Mails by recipient, whatever the case of the address; newest last."""

    mails: dict[str, list[Mail]] = field(default_factory=dict)
    on_change: Callable[[], None] = lambda: None

    def deliver(self, recipient: str, subject: str, text: str) -> None:
        mail = {"to": recipient, "subject": subject, "text": text, "at": int(time.time())}
        self.mails.setdefault(recipient.casefold(), []).append(mail)
        self.on_change()

    def of(self, recipient: str) -> list[Mail]:
        return self.mails.get(recipient.casefold(), [])

    def clear(self) -> None:
        self.replace({})

    def replace(self, mails: dict[str, list[Mail]]) -> None:
        # In two steps for whoever keeps them: mails that only came since are not the same mails.
        self.mails = {}
        self.on_change()
        self.mails = mails
        self.on_change()


class Handler:
    """aiosmtpd's hook: called once per message that a client has sent."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        for recipient in envelope.rcpt_tos:
            self.inbox.deliver(recipient, str(message["subject"] or ""), plain_text(message))
        return "250 Message accepted for delivery"


def plain_text(message: EmailMessage) -> str:
    """The text part, or the HTML part as it is where there is no other."""
    body = message.get_body(("plain", "html"))
    return str(body.get_content()).replace("\r\n", "\n") if body else ""


def smtp(inbox: Inbox) -> SMTP:
    """One connection's protocol, for `loop.create_server`."""
    return SMTP(Handler(inbox), data_size_limit=LARGEST_MESSAGE, enable_SMTPUTF8=True, ident="counterfoil-sandbox")
