"""Mails leave as plain text through a real SMTP server, and a server that fails is one clear error."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

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


@pytest.fixture
def certified(tmp_path: Path) -> ssl.SSLContext:
    """A server's side of TLS, under a certificate of its own for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    encoded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(encoded)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


@contextmanager
def serving(box: Box, context: ssl.SSLContext, way: str) -> Iterator[int]:
    how: dict[str, Any] = {"ssl_context": context} if way == "tls" else {"tls_context": context}
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), **how)
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


async def test_a_server_that_answers_drop_by_drop_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step stays within its time; the customer would wait for minutes."""
    monkeypatch.setattr(module, "WHOLE", 0.2)
    hung_up = asyncio.Event()

    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(b"220-wait\r\n")
            await asyncio.sleep(0.02)
        writer.close()
        hung_up.set()

    server = await asyncio.start_server(slow, "127.0.0.1", 0)
    async with server:
        with pytest.raises(MailUnavailable):
            await Mailer("127.0.0.1", server.sockets[0].getsockname()[1], SENDER).send("a@b.example", "Hello", "text")
        await hung_up.wait()


async def test_a_server_without_starttls_gets_nothing_where_it_is_insisted_on(box: Box, port: int) -> None:
    with pytest.raises(MailUnavailable):
        await Mailer("127.0.0.1", port, SENDER, starttls=True).send("ada@example.com", "Hello", "123456")

    assert box.mails == []


@pytest.mark.parametrize("way", ["tls", "starttls"])
async def test_a_certificate_that_nobody_vouches_for_gets_nothing(
    box: Box, certified: ssl.SSLContext, way: str
) -> None:
    with serving(box, certified, way) as port, pytest.raises(MailUnavailable):
        await Mailer("127.0.0.1", port, SENDER, tls=way == "tls", starttls=way == "starttls").send(
            "ada@example.com", "Hello", "123456"
        )

    assert box.mails == []


@pytest.mark.parametrize("way", ["tls", "starttls"])
async def test_a_mail_goes_through_tls(
    box: Box, certified: ssl.SSLContext, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`smtps://` used to be spoken to in clear text, and never answered."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    with serving(box, certified, way) as port:
        await Mailer("localhost", port, SENDER, tls=way == "tls", starttls=way == "starttls").send(
            "ada@example.com", "Hello", "text"
        )

    assert ["Hello"] == [mail["Subject"] for mail in box.mails]


@pytest.mark.parametrize("to", ["ada@example.com\nBcc: eve@example.com", "ada@example.com\r\n\r\nbody"])
async def test_a_line_break_in_an_address_adds_no_header(box: Box, port: int, to: str) -> None:
    with pytest.raises(Unprocessable):
        await Mailer("127.0.0.1", port, SENDER).send(to, "Hello", "text")

    assert box.mails == []
