"""What the race page shows: the recorded race and the bet on it, the reader's own race, and its table."""

from collections.abc import Mapping

import streamlit as st

from maml_core.numerals import numeral
from maml_core.train.cost import StepCost, step_cost
from maml_core.train.race import BUDGETS, TASKS, Leg, Mark, Race, leg_config, legs
from maml_core.train.race_scripts import commands
from maml_core.train.racing import Progress
from maml_core.train.recorded_race import COMMAND, recorded
from maml_core.train.standings import TIE, bands, table, verdict
from pages.ui import charts_live, charts_race, guessing, live, race_controls, race_feed
from pages.ui.feeds import spaced

SHOWN = 5  # marks of the recorded race that can be seen before the bet
Known = Mapping[Leg, tuple[Mark, ...]]


def predict(name: str) -> bool:
    """The bet on the recorded race, of which only the first half is shown until it is made."""
    race, marks = recorded()
    won = verdict(table(race, marks))
    trained = [entrant for entrant in race.entrants if entrant != "from scratch"]
    choices = [guessing.Choice(entrant, entrant == won.winner, won.sentence) for entrant in (*trained, TIE)]
    seen = marks[legs(race)[0]][SHOWN].steps
    question = f"These are the first {seen} of {spaced(race.amount)} steps, with {race.seeds} seeds. "
    question += "At the end, who is lowest?"
    return guessing.predict(name, question, choices, about="in the recorded race")


def buttons(race: Race, running: Race | None, progress: Progress | None, *, refused: bool, moved: bool) -> None:
    """Start, stop, and back to the recorded race. `refused`: what the controls ask for is no race."""
    live_now = bool(progress and running and not progress.over(running))
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(
            _start_label(race, None if live_now else running),
            icon=":material/flag:",
            type="primary",
            key="race start",
            disabled=live_now or moved or refused,
            on_click=race_feed.start,
            args=(race,),
        )
        st.button("Stop", icon=":material/stop:", key="race stop", disabled=not live_now, on_click=race_feed.stop)
        if running and not live_now:
            st.button(
                "Back to the recorded race", icon=":material/history:", key="race forget", on_click=race_feed.forget
            )
    if sentence := live.refusal(race_feed.NAME):
        st.markdown(f":red[{sentence}]")
    if running and running != race and not refused:
        st.caption(f"From the race below to the controls: {race_controls.differences(running, race)}.")


def _start_label(wanted: Race, over: Race | None) -> str:
    """`over`: the reader's race that has ended, if there is one."""
    if over is None:
        return "Start"
    return "Run it again" if over == wanted else "Start with the new set-up"


def picture(
    desk: live.Desk, running: Race | None, progress: Progress | None, *, wanted: Race, revealed: bool
) -> None:
    """The reader's own race as it runs, or the recorded one."""
    if running is None or progress is None:
        if desk.moved:
            live.say_moved()
        _recorded_picture(wanted, revealed)
        live.ask(desk, race_feed.NAME)  # after a reload there may be a race to come back to
        return
    alt = _words(running, progress.marks)
    panel = charts_live.panel(
        charts_race.race(running),
        "Lower is better. Lines: mean over the seeds that have come this far; bands: from best to worst",
        alt,
    )
    moving, query = not progress.over(running), {"race": race_feed.name_of(desk)}
    live.chart(desk, race_feed.NAME, {race_feed.NAME: panel}, empty="", moving=moving, query=query)


def _recorded_picture(wanted: Race, revealed: bool) -> None:
    race, marks = recorded()
    shown = marks if revealed else {leg: kept[: SHOWN + 1] for leg, kept in marks.items()}
    st.plotly_chart(charts_race.race(race, bands(race, shown)), key="race recorded", alt=_words(race, shown))
    which = (
        "" if wanted == race else " It is the one that this page opens with, not the one that the controls ask for."
    )
    which += "" if revealed else " Only its first half is shown."
    st.caption(
        f":material/history: **Recorded earlier**, not run here (`{COMMAND}`).{which} Start runs it, or any other "
        "race, on this server. Lower is better. Lines: means over the seeds; bands: from the best to the worst."
    )


def _words(race: Race, marks: Known) -> str:
    """The picture as a text alternative."""
    ends = (
        f"{band.entrant} {numeral(band.mean[-1], 3)} after {numeral(band.spent[-1], 4)}"
        for band in bands(race, marks)
        if band.mean
    )
    return f"Mean squared error over {BUDGETS[race.budget]}, {race.seeds} seeds: {'; '.join(ends)}."


def costs(race: Race) -> None:
    """What one outer step costs each entrant: by formula, and as PyTorch counts it."""
    found = step_costs(race)
    if all(cost.agree for cost in found):
        each = ", ".join(f"{cost.entrant} **{cost.formula}**" for cost in found)
        st.markdown(
            f":green[:material/verified:] An outer step costs, in gradients per task: {each}. Two independent ways "
            "agree: counting the gradients and Hessian-vector products of the algorithm, and PyTorch's own count of "
            "every multiplication."
        )
        return
    for cost in found:
        colour, icon = ("green", "verified") if cost.agree else ("orange", "warning")
        counted = (
            "" if cost.agree else f"; PyTorch's count of multiplications gives {numeral(cost.counted, 4)}. {cost.why}"
        )
        st.markdown(f":{colour}[:material/{icon}:] Gradients a step, {cost.entrant}: **{cost.formula}**{counted}")


@st.cache_data(max_entries=100, show_spinner=False)
def step_costs(race: Race) -> tuple[StepCost, ...]:
    trained = [leg for leg in legs(race) if leg.seed == 0]
    return tuple(step_cost(leg.entrant, leg_config(race, leg)) for leg in trained)


def again(race: Race, marks: Known) -> None:
    """The commands that repeat the legs."""
    with st.expander("The same on a command line", icon=":material/terminal:"):
        spent = {leg.entrant: kept[-1].steps for leg, kept in marks.items() if leg.seed == 0 and kept}
        lines = commands(race, spent)
        st.code("\n".join(lines.values()), language="bash", wrap_lines=True)
        st.caption(
            "Seed 0; other seeds with `--seed 1` and so on. Then, for each file: `python -m maml_core evaluate "
            f"FILE --tasks {TASKS} --steps {race.test_steps}`. A pretrained network adapts better at a rate of its "
            "own, which the script looks for."
        )
