"""Currencies as Stripe sends them: integer minor units with 0, 2 or 3 digits after the point."""

from decimal import ROUND_HALF_UP, Decimal

from sandbox.stripe.errors import StripeFailure

# https://docs.stripe.com/currencies#special-cases: ISK and UGX are sent with two decimals that must be zero.
ZERO_DECIMAL = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
WHOLE_UNITS_ONLY = frozenset({"isk", "ugx"})
# https://docs.stripe.com/currencies#presentment-currencies
PRESENTMENT = (
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf "
    "clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr "
    "ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur "
    "mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr "
    "sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof "
    "xpf yer zar zmw"
)
KNOWN = frozenset(PRESENTMENT.split())
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}
MINIMUM = {"usd": 50, "eur": 50, "gbp": 30, "jpy": 50, "kwd": 100}
LARGEST = 99_999_999


def exponent(currency: str) -> int:
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def shown(amount: int, currency: str) -> str:
    """`$49.00`, `-$3.10`, `KWD 4.500`."""
    number = f"{Decimal(abs(amount)).scaleb(-exponent(currency)):,}"
    symbol = SYMBOLS.get(currency, f"{currency.upper()} ")
    return f"{'-' if amount < 0 else ''}{symbol}{number}"


def step(currency: str) -> int:
    """Smallest step that card networks take: 0.010 KWD, 1.00 ISK."""
    return 10 if currency in THREE_DECIMAL else 100 if currency in WHOLE_UNITS_ONLY else 1


def share(amount: int, part: int, whole: int, step: int = 1) -> int:
    """`amount * part / whole` in whole steps, half a step rounded away from zero."""
    return int((Decimal(amount) * part / whole / step).quantize(Decimal(1), ROUND_HALF_UP)) * step


def check_granularity(amount: int, currency: str, param: str = "amount") -> None:
    """No card could be charged what is not a multiple of the currency's step."""
    if amount % step(currency):
        message = f"Invalid integer: amounts in {currency.upper()} must be a multiple of {step(currency)}"
        raise StripeFailure(message, code="parameter_invalid_integer", param=param)


def minimum(currency: str) -> int:
    return MINIMUM.get(currency, 1)


def check_charge_amount(amount: int, currency: str) -> None:
    if amount > LARGEST:
        message = f"Amount must be no more than {shown(LARGEST, currency)}"
        raise StripeFailure(message, code="amount_too_large", param="amount")
    if amount < minimum(currency):
        message = f"Amount must be at least {shown(minimum(currency), currency)} {currency}"
        raise StripeFailure(message, code="amount_too_small", param="amount")
    check_granularity(amount, currency)
