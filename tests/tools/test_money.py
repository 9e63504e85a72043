import pytest

from tools.money import Money


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (4900, "usd", "$49.00"),
        (4900, "jpy", "¥4,900"),
        (6500, "cad", "CA$65.00"),
        (15_250, "kwd", "KWD\N{NO-BREAK SPACE}15.250"),
        (-16_097, "sek", "-SEK\N{NO-BREAK SPACE}160.97"),
        (12_000, "chf", "CHF\N{NO-BREAK SPACE}120.00"),
    ],
)
def test_an_amount_is_written_for_people(amount: int, currency: str, written: str) -> None:
    """Stripe's own lines say `SEK 1,199.00`; next to them stood `SEK1,199.00`."""
    assert written == Money(amount, currency).text()
