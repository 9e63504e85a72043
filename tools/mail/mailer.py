"""`Mailer`: plain-text mails over SMTP. Fails closed: what could not be handed over raises MailUnavailable."""

import asyncio
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from functools import partial

import aiosmtplib

from tools.errors import MailUnavailable, Unprocessable

TIMEOUT = 5.0
"""Seconds, for each step of the conversation with the server."""
WHOLE = 15.0
"""Seconds, for all of it: the customer waits."""


class Mailer:
    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        username: str | None = None,
        password: str | None = None,
        *,
        starttls: bool = False,
        tls: bool = False,
    ) -> None:
        """`starttls` insists on it, `tls` speaks it from the first byte; neither is for a server on this machine."""
        self._sender = sender
        self._send = partial(
            aiosmtplib.send,
            hostname=host,
            port=port,
            username=username,
            password=password,
            start_tls=starttls,
            use_tls=tls,
            timeout=TIMEOUT,
        )

    async def send(self, to: str, subject: str, text: str) -> None:
        """Hand one mail to the server. Raises Unprocessable for no address, MailUnavailable for all else."""
        message = self._message(to, subject, text)
        try:
            async with asyncio.timeout(WHOLE):
                await self._send(message)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailUnavailable from error

    def _message(self, to: str, subject: str, text: str) -> EmailMessage:
        message = EmailMessage()
        try:
            message["To"] = to
            message["Subject"] = subject
        except ValueError as error:
            raise Unprocessable("This mail cannot be addressed.") from error
        message["From"] = self._sender
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=parseaddr(self._sender)[1].rpartition("@")[2] or None)
        # RFC 3834: no vacation replies to a machine
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message
