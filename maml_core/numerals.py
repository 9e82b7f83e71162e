"""Numbers as a reader wants to see them: a true minus sign, no trailing zeros, powers of ten written out."""

import math
from typing import Any

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


def _written(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    tail = f"·10{str(int(exponent)).translate(_SUPERSCRIPT)}" if exponent else ""
    return mantissa.replace("-", "−") + tail
