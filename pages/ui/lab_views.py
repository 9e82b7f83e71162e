"""What the lab shows beside the run: sections of a page, each made from a checkpoint in bytes.

The numbers of a run at rest are measured on more tasks than those of one that trains, which change several times
a second.
"""

import math

import streamlit as st

from maml_core.numerals import numeral
from maml_core.train.adapting import Adaptation, Errors, histogram
from maml_core.train.evaluate import QUERY_SHOTS, Summary
from maml_core.train.reported import reported
from maml_core.train.stability import LIMIT, OVERSHOOTING, why
from pages.ui import charts_lab, controls, lab_data
from pages.ui.feeds import spaced
from pages.ui.lab_data import BASELINES, YOURS

MOST_STEPS = 10
TASKS, TASKS_AT_REST = 100, 600


def steps_control(default: int) -> int:
    """How many inner steps the pictures show: 0 is the network before it adapts.

    As long as the reader has not moved it, it follows the default, which another run changes.
    """
    if st.session_state.get("lab_steps") == st.session_state.get("lab steps untouched", default):
        st.session_state["lab_steps"] = default
    st.session_state["lab steps untouched"] = default
    help_text = "Gradient steps on the points of one task. The lab's pictures show the network after this many."
    return int(controls._slider("lab_steps", "inner steps shown", (0, MOST_STEPS), default, 1, help_text))


def unseen_tasks(run: bytes, steps: int) -> None:
    """Four unseen tasks: the sine, the points, the network before and after `steps` inner steps."""
    shown = lab_data.unseen_curves(run, MOST_STEPS)
    figure = charts_lab.adaptation(shown, steps)
    st.plotly_chart(figure, key="lab_adaptation", alt=adaptation_words(shown, steps))


def adaptation_words(shown: Adaptation, steps: int) -> str:
    """The picture of `unseen_tasks` as a text alternative."""
    errors = (
        f"task {i}: squared error {numeral(task.errors[0], 3)} before, {numeral(task.errors[steps], 3)} after"
        for i, task in enumerate(shown.tasks, start=1)
    )
    return f"Four unseen sines, and the network's curves before and after {plural(steps)}; {'; '.join(errors)}."


def errors_after_steps(run: bytes, *, at_rest: bool) -> None:
    """The error after 0 to 10 steps beside the baselines, with the numbers and the histogram below."""
    config, tasks = lab_data.config_of(run), TASKS_AT_REST if at_rest else TASKS
    yours = lab_data.errors(run, MOST_STEPS, tasks, config.shots)
    others = {name: lab_data.baseline(kind, config, MOST_STEPS, TASKS) for name, kind in BASELINES.items()}
    help_text = "A few tasks can go far astray and pull the mean up. The trimmed mean leaves out a tenth at each end."
    statistic = controls.choice("lab_statistic", "statistic", tuple(charts_lab.STATISTICS), "median", help_text)
    rows = {YOURS: yours, **{name: errors for name, (errors, _) in others.items()}}
    level = charts_lab.value(lab_data.floor(config, tasks), statistic)
    figure = charts_lab.errors_by_step(rows, statistic, level)
    st.plotly_chart(figure, key="lab_errors", alt=_errors_words(rows, statistic, level))
    rates = " and ".join(f"{name} α = {numeral(rate)}" for name, (_, rate) in others.items())
    st.caption(
        f"{len(yours.each[0])} unseen tasks (baselines: {TASKS}), {config.shots} points to adapt on, {QUERY_SHOTS} "
        f"others to be judged on. Each baseline moves at the rate that served it best on 100 further tasks: {rates}. "
        "The dotted line is the best function that never looks at the task; before adapting, no network's mean is "
        "below its mean."
    )


def _errors_words(rows: dict[str, Errors], statistic: str, level: float) -> str:
    ends = (
        f"{name} from {numeral(charts_lab.value(errors.summaries[0], statistic), 3)} "
        f"to {numeral(charts_lab.value(errors.summaries[-1], statistic), 3)}"
        for name, errors in rows.items()
    )
    return f"{statistic} squared error over {MOST_STEPS} inner steps: {'; '.join(ends)}. Floor {numeral(level, 3)}."


def error_table(run: bytes, *, at_rest: bool) -> None:
    """The five numbers after 0, 1, 5 and 10 steps."""
    config = lab_data.config_of(run)
    found = lab_data.errors(run, MOST_STEPS, TASKS_AT_REST if at_rest else TASKS, config.shots)
    rows = {step: found.summaries[step] for step in (0, 1, 5, 10)}
    st.table(
        {
            "inner steps": [str(step) for step in rows],
            "mean": [_mean(row) for row in rows.values()],
            "median": [numeral(row.median, 3) for row in rows.values()],
            "trimmed mean": [numeral(row.trimmed_mean, 3) for row in rows.values()],
            "diverged": [of_tasks(row, len(found.each[0])) for row in rows.values()],
        }
    )
    st.caption("± is the standard error of the mean. A task has diverged if its error is ten times the mean before.")


def spread(run: bytes, steps: int, *, at_rest: bool) -> None:
    """The histogram of per-task errors before adaptation and after `steps` steps."""
    config = lab_data.config_of(run)
    found = lab_data.errors(run, MOST_STEPS, TASKS_AT_REST if at_rest else TASKS, config.shots)
    sets = {"before": found.each[0], f"after {plural(steps)}": found.each[steps]}
    counted = histogram(list(sets.values()))
    beyond = f" {counted.beyond[-1]} tasks are not finite." if counted.beyond[-1] else ""
    medians = [numeral(found.summaries[step].median, 3) for step in (0, steps)]
    alt = f"Errors of single tasks: median {medians[0]} before and {medians[1]} after {plural(steps)}.{beyond}"
    st.plotly_chart(charts_lab.histogram(counted, list(sets)), key="lab_histogram", alt=alt)
    if beyond:
        st.markdown(f":orange[:material/warning:]{beyond}")


def paper_beside(run: bytes, whose: str) -> None:
    """What papers report for this setting beside what this run has reached, or why nothing is comparable.

    `whose` run it is, at the head of its numbers.
    """
    config = lab_data.config_of(run)
    match = reported(config)
    if not match.rows:
        st.markdown(f":material/info: **No published number to compare with.** {match.reason}")
        return
    now = [lab_data.errors(run, MOST_STEPS, TASKS_AT_REST, row.test_shots).summaries[row.steps] for row in match.rows]
    st.table(
        {
            "after": [f"{plural(row.steps)} on {row.test_shots} points" for row in match.rows],
            "the paper reports": [numeral(row.value) for row in match.rows],
            f"{whose}: trimmed mean": [numeral(found.trimmed_mean, 3) for found in now],
            "mean": [_mean(found) for found in now],
            "diverged": [of_tasks(found, TASKS_AT_REST) for found in now],
        }
    )
    source, iterations = match.rows[0].source, match.rows[0].iterations
    st.caption(
        f"Mean squared errors. {source}, after {spaced(iterations)} iterations; this run has done "
        f"{spaced(lab_data.step_of(run))}. Measured on {TASKS_AT_REST} tasks, ± standard error, with the α of "
        "training. The paper reports plain means. One task that diverges spoils a mean; the trimmed mean leaves out "
        "the worst and the best tenth."
    )


def _mean(found: Summary) -> str:
    """With its standard error, if it has one."""
    return f"{numeral(found.mean, 3)} ± {numeral(found.sem, 2)}" if math.isfinite(found.sem) else numeral(found.mean)


def of_tasks(found: Summary, tasks: int) -> str:
    """How many tasks diverged."""
    return f"{round(found.diverged * tasks)} of {tasks}"


def astray(found: Summary) -> str:
    """What the tasks that diverged do to the mean, in a sentence."""
    mean = numeral(found.mean, 3)
    if not found.diverged:
        return f"No task of the {TASKS_AT_REST} diverged; the mean is {mean}."
    return f"{of_tasks(found, TASKS_AT_REST)} tasks diverged, which alone makes the plain mean {mean}."


def plural(steps: int) -> str:
    return f"{steps} step{'s' * (steps != 1)}"


def sharpness(run: bytes) -> None:
    """α·λ_max on the tasks of the next training step, in one line."""
    found = lab_data.stable(run)
    if not math.isfinite(found.largest):
        return
    config = lab_data.config_of(run)
    st.markdown(
        f"**α·λ_max** on the {config.meta_batch} tasks of the next step: median {numeral(found.median, 3)}, largest "
        f"{numeral(found.largest, 3)}; above {LIMIT:g}, where a step overshoots the valley's floor, on "
        f"{found.overshooting:.0%} of them.",
        help=OVERSHOOTING,
    )


def what_went_wrong(run: bytes) -> None:
    """For a run that stopped because its meta-gradient was not finite: why, measured at its last good state."""
    st.markdown(f":orange[:material/warning:] **It diverged.** {why(lab_data.stable(run), lab_data.config_of(run))}")
