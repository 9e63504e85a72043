"""Mails leave as plain text through a real SMTP server, and a server that fails is one clear error."""

import asyncio
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.fixtures.redis import free_port
from tools.errors import MailUnavailable, Unprocessable
from tools.mail import mailer as module
from tools.mail.mailer import Mailer

SENDER = "Acme Billing <billing@acme.example>"


class Box:
    """Keeps what arrives; refuses a recipient whose name starts with `refused`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("refused"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - same
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default))
        return "250 OK"


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def port(box: Box) -> Iterator[int]:
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller.port
    controller.stop()


async def test_a_mail_arrives_as_it_was_written(box: Box, port: int) -> None:
    await Mailer("127.0.0.1", port, SENDER).send("ada@example.com", "Deine Gutschrift", "5–10 Werktage, 12 €\n")

    (mail,) = box.mails
    assert mail["To"] == "ada@example.com"
    assert mail["From"] == SENDER
    assert mail["Subject"] == "Deine Gutschrift"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n") == "5–10 Werktage, 12 €\n"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@acme.example>")
    assert mail["Date"].datetime is not None


async def test_a_server_that_is_down_is_mail_unavailable() -> None:
    with pytest.raises(MailUnavailable):
        await Mailer("127.0.0.1", free_port(), SENDER).send("ada@example.com", "Hello", "text")


async def test_a_recipient_who_is_refused_is_mail_unavailable(port: int) -> None:
    with pytest.raises(MailUnavailable):
        await Mailer("127.0.0.1", port, SENDER).send("refused@example.com", "Hello", "text")


async def test_a_server_that_never_greets_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.1)
    given_up = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await given_up.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        with pytest.raises(MailUnavailable):
            await Mailer("127.0.0.1", server.sockets[0].getsockname()[1], SENDER).send(
                "ada@example.com", "Hello", "text"
            )
        given_up.set()


@pytest.mark.parametrize("to", ["ada@example.com\nBcc: eve@example.com", "ada@example.com\r\n\r\nbody"])
async def test_a_line_break_in_an_address_adds_no_header(box: Box, port: int, to: str) -> None:
    with pytest.raises(Unprocessable):
        await Mailer("127.0.0.1", port, SENDER).send(to, "Hello", "text")

    assert box.mails == []
