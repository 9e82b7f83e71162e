"""Lesson 5's furniture: its controls, the guess about the order, the pictures with their sentences."""

import streamlit as st

from maml_core.meta.agreement import Agreement
from maml_core.meta.k_steps import FAMILIES, FLATTEST, MOST_STEPS, SHARPEST, SHOTS, Setting, walk
from maml_core.meta.looking_back import Term, four_ways
from maml_core.meta.steps_explained import StepsExplained, explain_steps
from maml_core.meta.stretching import HIGHEST_RATE, RateStretch, rate_sweep
from maml_core.numerals import numeral
from pages.ui import charts_k_steps, charts_product, charts_terms, controls, guessing, lesson

NOTHING = 1e-6  # degrees: rounding
TURNS = {"not at all": 0.0, "by less than 10°": 10.0, "by 10° to 45°": 45.0, "by more than 45°": 181.0}


def settings() -> tuple[Setting, int]:
    """Which inner loop, and how many of its steps."""
    with st.container(horizontal=True, gap="medium"):
        help_text = (
            f"**tanh**, **ReLU**: a 1-w-w-1 network, He-initialised, and one sinusoid with {SHOTS} support and "
            f"{SHOTS} query points. **bowl**: a quadratic loss in w dimensions, with curvatures from {FLATTEST:g} to "
            f"{SHARPEST:g}."
        )
        family = controls.choice("k_task", "network, or bowl", FAMILIES, FAMILIES[0], help_text)
        help_text = "How many steps the inner loop takes, and must be looked back through."
        steps = controls._slider("k_steps", "inner_steps, k", (1, MOST_STEPS), 5, 1, help_text)
        rate = controls._slider(
            "k_alpha", "α, inner_lr", (0.0, HIGHEST_RATE), 0.1, 0.005, "Step size of the inner loop."
        )
        width = controls._slider("k_width", "width, w", (2, 6), 4, 1, "Of both hidden layers; the bowl's dimensions.")
        seed = controls._slider("k_seed", "seed", (0, 20), 0, 1, "Draws θ and the task.")
    return Setting(family, float(rate), int(width), int(seed)), int(steps)


@st.cache_data(max_entries=200, show_spinner=False)
def explained(setting: Setting, steps: int) -> StepsExplained:
    return explain_steps(setting, steps)


def warm_up() -> None:
    """Draw once what the first reader sees first: a process is several times as slow at it as ever after."""
    found = explain_steps(Setting(FAMILIES[0], inner_lr=0.1, width=4, seed=0), 5)
    assert found.look is not None
    charts_product.product(found.look, both=False)
    charts_terms.ledger(found.look.terms, found.look.length)


@st.cache_data(max_entries=200, show_spinner=False)
def _swept(setting: Setting, steps: int) -> tuple[RateStretch, ...]:
    return rate_sweep(setting, steps)


@st.cache_data(max_entries=200, show_spinner=False)
def _ways(setting: Setting, steps: int) -> Agreement:
    return four_ways(setting, walk(setting), steps)


def predict_order(name: str, found: StepsExplained) -> bool:
    """How far does the wrong order turn the meta-gradient?"""
    degrees = found.degrees["wrong order"]
    right = next(text for text, most in TURNS.items() if degrees <= max(most, NOTHING))
    return guessing.predict(
        name,
        "Multiply the same factors in the **other** order, $F_{k-1} \\cdots F_0$. The result turns …",
        [guessing.Choice(text, text == right, _why_order(found)) for text in TURNS],
    )


def _why_order(found: StepsExplained) -> str:
    wrong = found.turned["wrong order"][found.steps - 1]
    if wrong.degrees > NOTHING:
        return (
            f"Multiplied in the other order, the factors give a vector **{numeral(wrong.degrees, 3)}°** off the "
            f"meta-gradient and {numeral(wrong.ratio, 3)} times as long: each step has a curvature of its own, and "
            "matrices with different axes do not commute."
        )
    if found.steps == 1:
        return "One factor has no order, so nothing turns the meta-gradient."
    if found.setting.inner_lr == 0:
        return "With α = 0 every factor is the identity, so no order of them turns the meta-gradient."
    return "Here the steps share one set of axes, so their factors commute: no order turns the meta-gradient."


def pictures(found: StepsExplained, *, revealed: bool) -> None:
    """The product as matrices, and the ledger as bars."""
    assert found.look is not None
    left, right = st.columns([3, 2])
    with left:
        st.markdown(
            "**The product**, $g = F_0\\,F_1 \\cdots F_{k-1}\\,\\nabla L_q(\\phi_k)$ with $F_j = I - \\alpha H_j$"
        )
        figure = charts_product.product(found.look, both=revealed)
        st.plotly_chart(figure, key="product", alt=_product_in_words(found, revealed))
        st.caption(_product_caption(found, revealed))
    with right:
        st.markdown("**The ledger**, $g = \\nabla L_q - \\sum_j \\alpha H_j v_{j+1}$, read from the last step back")
        figure = charts_terms.ledger(_terms(found), found.look.length)
        st.plotly_chart(figure, key="ledger", alt=_ledger_in_words(found))
        st.caption(_ledger_caption(found))


def _product_caption(found: StepsExplained, revealed: bool) -> str:
    assert found.look is not None
    shown = min(found.steps, charts_product.MOST_MATRICES)
    which = "" if shown == found.steps else f" The first and last of {found.steps} factors are drawn."
    other = " Below: the same matrices in the other order." if revealed else ""
    strength = "αH is 0 here" if found.setting.inner_lr == 0 else "full colour the largest entry of αH"
    return (
        f"{found.look.weights} weights, so each factor is {found.look.weights} × {found.look.weights}. Violet is "
        f"positive, blue negative, {strength}. First-order MAML keeps the ones on the diagonal.{which}{other}"
    )


def _terms(found: StepsExplained) -> tuple[Term, ...]:
    """The terms of the ledger; with α = 0 those of the steps are 0, and not listed."""
    assert found.look is not None
    return found.look.terms[:1] if found.setting.inner_lr == 0 else found.look.terms


def _ledger_caption(found: StepsExplained) -> str:
    if found.setting.inner_lr == 0:
        return "With α = 0 every step’s term −αHv is 0: the meta-gradient is the query gradient."
    return (
        "A bar is what one term adds along g, out of the length that it has; a bar to the left takes away. The "
        "shares add up to ‖g‖ exactly; what is missing from a length points sideways, and sideways the terms cancel."
    )


def _product_in_words(found: StepsExplained, revealed: bool) -> str:
    turned = f" The other order is {numeral(found.degrees['wrong order'], 3)} degrees off." if revealed else ""
    return f"The meta-gradient as a product of {found.steps} matrices and the query gradient.{turned}"


def _ledger_in_words(found: StepsExplained) -> str:
    assert found.look is not None
    first, *steps = _terms(found)
    terms = [f"step {term.step}: {numeral(term.share, 3)}; " for term in steps]
    together = f"together {numeral(found.look.length, 3)}"
    return f"First-order part: {numeral(first.share, 3)}; {''.join(terms)}{together}."


def order_and_lengths(found: StepsExplained) -> None:
    """Over k: the angle of the two stand-ins; the singular values; and over α, the ends of the spectrum."""
    angles, over_k, over_rates = st.columns(3)
    with angles:
        st.markdown("**How far off** the wrong order and first order point")
        figure = charts_k_steps.turns(found.turned, found.steps)
        st.plotly_chart(figure, key="turns", alt="Degrees off the meta-gradient for 1 to 20 inner steps.")
    with over_k:
        st.markdown("**How far a nudge of θ reaches**: singular values of ∂φ/∂θ")
        figure = charts_k_steps.stretch(found.stretches, found.steps)
        st.plotly_chart(figure, key="stretch", alt="Singular values of the product for 1 to 20 inner steps.")
    with over_rates:
        st.markdown(f"**The same at k = {found.steps}**, for every step size")
        sweep = _swept(
            found.setting._replace(inner_lr=0.0), found.steps
        )  # of all rates, so the reader's is no matter
        figure = charts_k_steps.rates(sweep, found.setting.inner_lr)
        st.plotly_chart(figure, key="rates", alt="Largest and smallest singular value for step sizes from 0 to 0.2.")
    st.markdown(
        f"{_reach(found)} An end that runs off upwards is an *exploding* "
        "product. One that runs towards 0 is a *vanishing* one: along those directions φ forgets where θ was, and "
        "the meta-gradient has nothing to say."
    )


def _reach(found: StepsExplained) -> str:
    """How far a nudge gets after the reader's steps, and after all of them if those are more."""
    row, last = found.stretches[found.steps - 1], found.stretches[-1]
    if found.setting.inner_lr == 0:
        return "With α = 0 every nudge of θ arrives as long as it was."
    further = f"; after {last.steps} steps it is {numeral(last.largest, 3)} and {_times(last.smallest)}"
    return (
        f"After {row.steps} {'step' if row.steps == 1 else 'steps'} the most sensitive direction of θ arrives "
        f"**{numeral(row.largest, 3)} times** as long, the least sensitive **{_times(row.smallest)} times**"
        f"{'' if row.steps == last.steps else further}."
    )


def _times(gain: float) -> str:
    return numeral(gain, 3) if gain > 0 else "0 (up to rounding)"


def agreement(found: StepsExplained) -> None:
    lesson.vectors_line(_ways(found.setting, found.steps), "meta-gradient")
