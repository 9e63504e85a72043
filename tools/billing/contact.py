"""E-mail addresses and phone numbers, and which of them are safe inside a Stripe search query."""

import re
from collections.abc import Iterable

import phonenumbers

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{3,253}")
# Only letters that mean nothing in Stripe's query language: no quotes, backslashes or spaces.
_SEARCHABLE_EMAIL = re.compile(
    r"[A-Za-z0-9._%+\-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_PHONE = re.compile(r"\+?[0-9 ()./\-]{5,30}")


def email_of(text: str) -> str | None:
    """The address as typed, or None when it is none."""
    address = text.strip()
    return address if len(address) <= 254 and _EMAIL.fullmatch(address) else None


def may_be_searched(email: str) -> bool:
    """O'Brien's address is an address, but a quote would end the string of a query."""
    return _SEARCHABLE_EMAIL.fullmatch(email) is not None


def same_email(one: str | None, other: str) -> bool:
    return one is not None and one.casefold() == other.casefold()


def phone_of(text: str, *, region: str) -> str | None:
    """In E.164. `region` (ISO 3166) says what a number without a country code means."""
    if not _PHONE.fullmatch(text.strip()):
        return None
    try:
        number = phonenumbers.parse(text.strip(), region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def spellings(e164: str) -> tuple[str, ...]:
    """How people store one number: Stripe keeps phones as free text and matches them literally."""
    number = phonenumbers.parse(e164)
    form = phonenumbers.PhoneNumberFormat
    international = phonenumbers.format_number(number, form.INTERNATIONAL)
    national = phonenumbers.format_number(number, form.NATIONAL)
    written = (
        e164,
        international,
        national,
        _digits(e164),
        _digits(national),
        international.replace("-", " "),
    )
    return tuple(dict.fromkeys(spelling for spelling in written if _PHONE.fullmatch(spelling)))


def any_of(field: str, values: Iterable[str]) -> str:
    """A search query; the values must have passed one of the patterns above."""
    return " OR ".join(f"{field}:'{value}'" for value in values)


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())
