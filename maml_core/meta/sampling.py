"""Random numbers as a function of (seed, step, index), not as a stream.

The same arguments give the same number whatever was drawn before, on any device, in eager or compiled code
and on any rank: so two algorithms that share a seed see the same tasks, and a resumed training sees those it
would have seen. 32-bit words live in int64: both multipliers are below 2³¹, so no product reaches 2⁶³ (and
none overflows when compiled).
"""

import math
from typing import TypeVar

import torch
from torch import Tensor

Word = TypeVar("Word", int, Tensor)
LARGEST = 2**32 - 1  # the largest seed, step and index
_STEP_SALT, _INDEX_SALT = 0x3C6EF372, 0x1B873593  # make two unlike keys of one seed


def mix(word: Word) -> Word:
    """A bijection of the 32-bit words in which every input bit can flip every output bit.

    The shifts and multipliers are those of "lowbias32", second version.
    https://github.com/skeeto/hash-prospector
    """
    word = word ^ (word >> 16)
    word = (word * 0x21F0AAAD) & LARGEST
    word = word ^ (word >> 15)
    word = (word * 0x735A2D97) & LARGEST
    return word ^ (word >> 15)


def uniform(seed: int, step: int | Tensor, index: Tensor) -> Tensor:
    r"""Uniform numbers in [0, 1), one for each entry of `index`, as float32 multiples of 2⁻²⁴.

    $$u = 2^{-32} \operatorname{mix}\big(\operatorname{mix}(\text{index} \oplus k_2)
          \oplus \operatorname{mix}(\operatorname{mix}(\text{step} \oplus k_1) + k_2)\big)$$

    $k_1$ and $k_2$ both come from the seed. With one key, two seeds can run through the same tasks in
    another order: the order is `step` with some bits flipped. Two keys, one of them inside each word,
    leave no such order.

    `step` is an int or an int64 tensor that broadcasts against `index` (int64). Raises ValueError if
    `seed`, or `step` as an int, is not in 0 … 2³² − 1.
    """
    for name, number in (("seed", seed), ("step", step)):
        if isinstance(number, int) and not 0 <= number <= LARGEST:
            raise ValueError(f"The {name} must be a whole number from 0 to {LARGEST}, not {number}.")
    step_key, index_key = mix(seed ^ _STEP_SALT), mix(seed ^ _INDEX_SALT)
    steps = torch.as_tensor(step, dtype=torch.int64, device=index.device)
    step_word = mix((mix(steps ^ step_key) + index_key) & LARGEST)
    word = mix(mix(index ^ index_key) ^ step_word)
    return (word >> 8).to(torch.float32) * 2.0**-24


def normal(seed: int, step: int | Tensor, index: Tensor, *, cut: float = math.inf) -> Tensor:
    r"""Standard normal numbers given that they lie within ± `cut`, as float64; never beyond ± 5.5.

    $$z = \Phi^{-1}\big(\Phi(-c) + u\,(1 - 2\Phi(-c))\big)$$

    Other arguments and errors as in `uniform`.
    """
    middle = uniform(seed, step, index).double() + 2.0**-25  # in (0, 1): Φ⁻¹ stays finite
    return math.sqrt(2) * torch.erfinv(math.erf(cut / math.sqrt(2)) * (2 * middle - 1))
