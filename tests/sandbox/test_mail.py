"""Mail goes nowhere but into the inbox."""

import smtplib
from email.message import EmailMessage

import aiosmtplib
import pytest

from tests.fixtures.sandbox import Sandbox


def mail(to: str, text: str = "Your code is 123456.\n", subject: str = "Your code") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "billing@example.com", to, subject
    message.set_content(text)
    return message


async def send(sandbox: Sandbox, message: EmailMessage) -> None:
    await aiosmtplib.send(message, hostname="127.0.0.1", port=sandbox.smtp_port)


async def test_a_mail_lands_in_the_inbox_of_its_recipient(sandbox: Sandbox) -> None:
    await send(sandbox, mail("ada@example.com"))
    (received,) = sandbox.inbox("ada@example.com")
    assert ("ada@example.com", "Your code", "Your code is 123456.\n") == (
        received["to"],
        received["subject"],
        received["text"],
    )
    assert received["at"] > 1_700_000_000
    assert [] == sandbox.inbox("grace@example.com")


async def test_the_case_of_an_address_does_not_matter(sandbox: Sandbox) -> None:
    await send(sandbox, mail("Mixed.Case@Example.com"))
    assert 1 == len(sandbox.inbox("mixed.case@example.COM"))


async def test_mails_are_kept_in_order_and_dropped_by_a_reset(sandbox: Sandbox) -> None:
    for subject in ("one", "two"):
        await send(sandbox, mail("ada@example.com", subject=subject))
    assert ["one", "two"] == [each["subject"] for each in sandbox.inbox("ada@example.com")]
    sandbox.reset()
    assert [] == sandbox.inbox("ada@example.com")


async def test_umlauts_and_html_survive(sandbox: Sandbox) -> None:
    message = mail("ada@example.com", "Grüße: 49,00 €\n", "Beleg für Sie")
    message.add_alternative("<p>Grüße</p>", subtype="html")
    await send(sandbox, message)
    html = EmailMessage()
    html["To"], html["From"] = "ada@example.com", "billing@example.com"
    html.set_content("<p>only html</p>\n", subtype="html")
    await send(sandbox, html)
    first, second = sandbox.inbox("ada@example.com")
    assert ("Beleg für Sie", "Grüße: 49,00 €\n") == (first["subject"], first["text"])
    assert ("", "<p>only html</p>\n") == (second["subject"], second["text"])


async def test_each_of_several_recipients_has_a_copy(sandbox: Sandbox) -> None:
    await aiosmtplib.send(
        mail("ada@example.com"),
        recipients=["ada@example.com", "grace@example.com"],
        hostname="127.0.0.1",
        port=sandbox.smtp_port,
    )
    assert [1, 1] == [len(sandbox.inbox(f"{name}@example.com")) for name in ("ada", "grace")]


def test_a_monstrous_mail_is_refused(sandbox: Sandbox) -> None:
    with (
        smtplib.SMTP("127.0.0.1", sandbox.smtp_port) as connection,
        pytest.raises(smtplib.SMTPException),
    ):
        connection.send_message(mail("ada@example.com", "x" * 1_100_000))
    assert [] == sandbox.inbox("ada@example.com")
