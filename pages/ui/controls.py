"""One control = one name, range, unit, help text and URL parameter, the same in every lesson."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from maml_core.graphs.expressions import LONGEST, ExpressionError, parse
from maml_core.graphs.functions import FUNCTIONS
from maml_core.graphs.programs import Preset
from maml_core.graphs.two_calls import Example

Number = TypeVar("Number", int, float)
WIDTH = 240  # pixels of a slider: five controls stand in a row on a desk and wrap on a phone


def x() -> float:
    """The parameter that is being learned."""
    return _slider("x", "x", (-5.0, 5.0), 3.0, 0.1, "The leaf: MAML's θ, one number. No unit.")


def inner_lr() -> float:
    """α."""
    help_text = "Step size of the inner loop, and in this example of the outer step too."
    return _slider("alpha", "α, inner_lr", (0.0, 1.0), 0.4, 0.01, help_text)


def inner_steps(most: int) -> int:
    help_text = "How often the inner loop updates x′ before the outer loss."
    return int(_slider("inner_steps", "inner_steps", (1, most), 1, 1, help_text))


def coefficient() -> int:
    """c in x′ = c·x − α·g."""
    help_text = "x′ = c·x − α·g. MAML has c = 1; the blog example that this lesson starts from has c = 2."
    return int(choice("c", "c", ("1", "2"), "2", help_text))


def outer_lr() -> float:
    """The step size of the update after backward."""
    return _slider("lr", "lr", (0.0, 1.0), 0.4, 0.01, "Step size of the update of x.")


def operation(options: Sequence[str]) -> str:
    """What is inserted."""
    rejected = _rejected("op", options[0], lambda raw: raw in options)
    help_text = "stop_gradient() is JAX's: the identity forward, zero backward. The others are PyTorch's own."
    value = st.selectbox("insert", options, key="op", bind="query-params", help=help_text)
    explain_rejection("op", rejected, "it must be one of the operations in the list", options[0])
    return value


def listed(
    key: str, label: str, options: Sequence[str], default: str, help_text: str, *, known: Sequence[str] = ()
) -> str:
    """One of many words, in a list that opens. `known`: words that another choice may have taken off the list."""
    rejected = _rejected(key, default, lambda raw: raw in options or raw in known)
    value = st.selectbox(label, options, key=key, bind="query-params", help=help_text)
    value = value if value in options else default
    explain_rejection(key, rejected, "it must be one of those in the list", value)
    return value


def place(options: Sequence[str], default: str) -> str:
    """After which line."""
    help_text = "After the line that makes x, x_copy (`copy`), the shifted x_copy (`shift`), y or loss. "
    help_text += "`no_grad()` goes around that line; `add_(1)` always changes x_copy, once there is one."
    return choice("line", "at the line of", options, default, help_text)


OWN = "own"


def example(examples: Mapping[str, Example], names: Sequence[str]) -> tuple[str, str]:
    """An expression in `names`: the name of an example, or OWN, and the text itself."""
    texts = (f"**{name}**: `{e.text}`, {e.why}" for name, e in examples.items())
    help_text = "\n\n".join([*texts, f"**{OWN}**: type it yourself"])
    first = next(iter(examples))
    name = choice("expression", "expression", (*examples, OWN), first, help_text)
    if name != OWN:
        return name, examples[name].text
    return name, expression("y", f"y1 = y2 =, in {', '.join(names)}", examples[first].text, names, any_of=True)


def preset(presets: Mapping[str, Preset]) -> str:
    """Which pair of losses: the name of a preset, or OWN."""
    pairs = (f"**{name}**: inner `{p.inner}`, outer `{p.outer}` ({p.why})" for name, p in presets.items())
    help_text = "\n\n".join([*pairs, f"**{OWN}**: type both yourself"])
    return choice("losses", "losses", (*presets, OWN), next(iter(presets)), help_text)


def losses(name: str, presets: Mapping[str, Preset]) -> tuple[str, str]:
    """The inner and the outer loss of a preset, or fields in which to type them."""
    if name != OWN:
        return presets[name].inner, presets[name].outer
    columns = st.columns(2)
    first = next(iter(presets.values()))
    with columns[0]:
        inner = expression("inner", "inner loss, in x_prime", first.inner, ("x_prime",))
    with columns[1]:
        outer = expression("outer", "outer loss, in x_prime", first.outer, ("x_prime",))
    return inner, outer


def expression(
    key: str,
    label: str,
    default: str,
    names: Sequence[str],
    *,
    any_of: bool = False,
    say: DeltaGenerator | None = None,
) -> str:
    """A field for an expression in `names`, all (or any) of which it must use. Returns the last text that was one.

    What is wrong is said below the field or in `say`, with a caret at the place; what was typed stays.
    """
    help_text = f"Numbers, {', '.join(names)}, + - * / ** and parentheses; functions: {', '.join(FUNCTIONS)}."
    typed = st.text_input(label, default, key=key, bind="query-params", help=help_text, max_chars=LONGEST)
    good = st.session_state.setdefault("good expressions", {})
    try:
        parsed = parse(typed.strip(), names)
        missing = [name for name in names if name not in parsed.names]
        if len(missing) == len(names) if any_of else missing:
            raise ExpressionError(
                f"Use {(' or ' if any_of else ' and ').join(missing)} in it: nothing else has a gradient here.", 0
            )
    except ExpressionError as error:
        where = say or st
        where.markdown(
            f":red[**{escaped(label)}**: {escaped(str(error))} The page shows the last one it could read.]"
        )
        if typed.strip():
            where.code(f"{typed.strip()}\n{' ' * error.position}^", language=None)
        return good.get(key, default)
    good[key] = typed.strip()
    return good[key]


def escaped(sentence: str) -> str:
    """A sentence that quotes what a stranger typed, with everything that Markdown would act on made plain."""
    quoted = re.sub(r"`([^`]*)`", r"“\1”", sentence)
    return re.sub(r"([\\`*_{}\[\]()<>#$~|:!])", r"\\\1", quoted)


def leaf(key: str, default: float) -> float:
    """The value of one of the lesson's leaves."""
    return _slider(key, key, (-10.0, 10.0), default, 0.1, f"The leaf {key}, one number. No unit.")


def network(options: Mapping[str, str]) -> str:
    """Which kind of network: its name; `options` says what each is."""
    help_text = "\n\n".join(f"**{name}**: {what}" for name, what in options.items())
    return choice("network", "network", tuple(options), next(iter(options)), help_text)


def module_steps(most: int) -> tuple[int, float]:
    """How many inner steps of which α a network takes."""
    steps = int(_slider("inner_steps", "inner_steps", (1, most), 3, 1, "How many steps θ takes on each support set."))
    return steps, _slider("alpha", "α, inner_lr", (0.0, 1.0), 0.1, 0.01, "Step size of the inner loop.")


def attempt(titles: Sequence[str], default: str) -> int:
    """Which of the attempts, by its place in the list."""
    help_text = "Each changes one line of the one before it, the sixth two. Each is run as it stands."
    return titles.index(choice("attempt", "attempt", titles, default, help_text))


def topic(names: Sequence[str]) -> str:
    help_text = "Small inner loops on a network of 197 weights, each run as it stands."
    return choice("topic", "layers and writes", names, names[1], help_text)


def also_compiled() -> bool:
    """Whether torch.compile is to be timed too."""
    rejected = _rejected("compiled", "false", lambda raw: raw.lower() in ("true", "false"))
    help_text = "Needs a C++ compiler on the machine that measures, and some time for it."
    value = st.toggle("torch.compile too", key="compiled", bind="query-params", help=help_text)
    explain_rejection("compiled", rejected, "it must be true or false", str(value).lower())
    return value


def timing_order(usual: int, most: int) -> tuple[str, int]:
    """Which loop is timed first, and how many repetitions of it."""
    help_text = "In the two parts that go in order: all repetitions of this one, then all of the other."
    first = choice("first", "first in order", ("SGD", "by hand"), "SGD", help_text)
    help_text = "Of ten steps each. What is drawn of it at once is the factor that one import would make."
    return first, int(_slider("repetitions", "repetitions", (10, most), usual, 10, help_text))


def _slider(
    key: str, label: str, ends: tuple[Number, Number], default: Number, step: Number, help_text: str
) -> Number:
    low, high = ends
    kind = type(default)
    rejected = _rejected(key, default, lambda raw: low <= float(raw) <= high and kind(float(raw)) == float(raw))
    value = st.slider(
        label,
        low,
        high,
        default,
        step,
        _digits(step),
        key=key,
        bind="query-params",
        help=help_text,
        width=WIDTH,
    )
    what = "a whole number" if kind is int else "a number"
    explain_rejection(key, rejected, f"it must be {what} from {low:g} to {high:g}", f"{value:g}")
    return value


def _digits(step: float) -> str | None:
    """The format that shows every stop of a slider as it is; its own has two decimals, and 0.005 would be 0.01."""
    return "%0.3f" if round(step, 2) != step else None


def choice(key: str, label: str, options: Sequence[str], default: str, help_text: str) -> str:
    """One of a few words, all of them in sight."""
    rejected = _rejected(key, default, lambda raw: raw in options)
    value = st.segmented_control(
        label, options, default=default, required=True, key=key, bind="query-params", help=help_text
    )
    value = value if value in options else default  # an empty parameter in the link unselects even what is required
    explain_rejection(key, rejected, f"it must be {' or '.join(options)}", value)
    return value


def notch(key: str, label: str, options: Sequence[float], default: float, help_text: str) -> float:
    """One of a few numbers that are not evenly spaced, on a slider."""
    texts = [f"{option:g}" for option in options]
    rejected = _rejected(key, f"{default:g}", lambda raw: raw in texts)
    value = st.select_slider(label, texts, f"{default:g}", key=key, bind="query-params", help=help_text, width=WIDTH)
    explain_rejection(key, rejected, f"it must be one of {', '.join(texts)}", str(value))
    return float(value)


def explain_rejection(key: str, rejected: str | None, allowed: str, value: str) -> None:
    """The one sentence about a parameter of the link that cannot be had."""
    if rejected is not None:
        asked = f"asked for {key} = “{_plain(rejected)}”" if rejected else f"leaves {key} empty"
        st.markdown(f":red[The link {asked}; {allowed}, so this is {value}.]")


def _rejected(key: str, default: float | str, accept: Callable[[str], bool]) -> str | None:
    """What the URL asked for and cannot have, until the control is moved. Streamlit would drop it silently."""
    rejections = st.session_state.setdefault("rejections", {})
    raw = st.query_params.get(key)
    if raw is not None and not _accepts(accept, raw):
        rejections[key] = raw
    if st.session_state.get(key, default) != default:
        rejections.pop(key, None)
    return rejections.get(key)


def _accepts(accept: Callable[[str], bool], raw: str) -> bool:
    try:
        return accept(raw)
    except ValueError:
        return False


def _plain(raw: str) -> str:
    """A stranger's text, short and with nothing in it that Markdown would act on."""
    kept = "".join(character for character in raw if character.isalnum() or character in " .,+-_()")
    return escaped(kept[:30]) or "…"
