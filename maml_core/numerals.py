"""Numbers as a reader wants to see them: a true minus sign, no trailing zeros, powers of ten written out."""

import math
from collections.abc import Callable, Sequence
from typing import Any

MOST_DIGITS = 8  # to tell two numbers apart: beyond them it would be rounding
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def numeral(value: Any, digits: int = 7) -> str:  # noqa: ANN401
    """A float, None, or a SymPy number, which may lie far outside what a float can hold.

    >>> numeral(-49008.96484375), numeral(92.4000015258789), numeral(1e20), numeral(float("nan"))
    ('−49008.96', '92.4', '1·10²⁰', 'not a number')
    """
    if value is None:
        return "None"
    if hasattr(value, "is_real"):  # SymPy
        if value.is_finite and math.isinf(float(value)):
            mantissa, _, exponent = str(value.n(digits)).partition("e")
            return _written(f"{float(mantissa):.{digits}g}e{exponent}")
        value = float(value) if value.is_extended_real else math.nan
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return _written(format(value + 0.0, f".{digits}g"))  # + 0.0 takes the sign from −0.0


def degrees(value: float, digits: int = 1) -> str:
    """An angle with so many decimals, or with so many digits where it is small; what rounding leaves is 0.

    >>> degrees(17.34), degrees(0.0426), degrees(1e-9)
    ('17.3°', '0.04°', '0°')
    """
    small = 1e-6 <= value < 0.1
    return f"{numeral(value, digits) if small else numeral(round(value, digits), MOST_DIGITS + 3)}°"


def told_apart(values: Sequence[float], write: Callable[[float, int], str], digits: int) -> list[str]:
    """All values as `write(value, digits)` has them, with more digits where unequal values would look the same."""
    texts = [write(value, digits) for value in values]
    if len(set(texts)) == len(set(values)) or digits == MOST_DIGITS:
        return texts
    return told_apart(values, write, digits + 1)


def _written(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    tail = f"·10{str(int(exponent)).translate(_SUPERSCRIPT)}" if exponent else ""
    return mantissa.replace("-", "−") + tail
