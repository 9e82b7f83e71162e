"""Lesson 7's question: what more inner steps than were trained for do."""

from maml_core.numerals import numeral
from maml_core.train.evaluate import Summary
from pages.ui import guessing, lab_data, lab_views
from pages.ui.lab_sections import PRECOMPUTED

NEAR = 0.1  # two medians that differ by less than this share count as the same


def predict(name: str) -> bool:
    """Ask what more inner steps than were trained for do; the answer is measured on the precomputed run."""
    config = lab_data.config_of(PRECOMPUTED)
    found = lab_data.errors(PRECOMPUTED, lab_views.MOST_STEPS, lab_views.TASKS_AT_REST, config.shots)
    one, ten = found.summaries[1], found.summaries[lab_views.MOST_STEPS]
    change, why = ten.median / one.median - 1, _why(one, ten, config.shots)
    return guessing.predict(
        name,
        f"The precomputed θ was trained for **{lab_views.plural(int(config.options['inner_steps']))}** on "
        f"{config.shots} points, which leaves a median error of {numeral(one.median, 3)} on unseen tasks. After "
        f"**{lab_views.MOST_STEPS}** steps on the same points it will be …",
        [
            guessing.Choice("lower", change < -NEAR, why),
            guessing.Choice("about the same", abs(change) <= NEAR, why),
            guessing.Choice("higher: it overfits them", change > NEAR, why),
        ],
        about="for the precomputed θ",
    )


def _why(one: Summary, ten: Summary, shots: int) -> str:
    tasks = lab_views.TASKS_AT_REST
    return (
        f"This is the precomputed {shots}-shot θ, whatever the controls ask for: over {tasks} unseen tasks the "
        f"median goes from {numeral(one.median, 3)} to {numeral(ten.median, 3)}, the trimmed mean from "
        f"{numeral(one.trimmed_mean, 3)} to {numeral(ten.trimmed_mean, 3)}. {lab_views.astray(ten)} MAML asked for a "
        "θ from which *one* step helps most; whether further steps still help was not asked, only measured."
    )
