"""Lesson 6. Shortcuts, and what they lose: nine meta-gradients from one θ on the same tasks."""

from functools import partial

import streamlit as st

from maml_core.meta.agreement import Agreement
from maml_core.meta.costs import Cost, costs, priced
from maml_core.meta.shortcut_checks import exact_ways, one_step_ways
from maml_core.meta.shortcut_script import shortcuts_script
from maml_core.meta.shortcuts import Row, Setting, compared, loop_of, overshooting, problem_of
from pages.ui import charts_shortcuts, claims, guessing, lesson, shortcut_controls, shortcut_labs, shortcut_prose
from pages.ui.landscape import landscape, written
from pages.ui.shortcut_sweeps import asked, sweeps
from pages.ui.shortcut_views import choices, overshoot, standing, table

NAME = "06_shortcuts"
ARROWS = ("maml", "fomaml", "reptile", "truncated", "one-leap", "imaml", "anil", "boil")


@st.cache_data(max_entries=200, show_spinner=False)
def rows_at(setting: Setting) -> tuple[Row, ...]:
    return compared(setting)


@st.cache_data(max_entries=200, show_spinner=False)
def costs_at(setting: Setting) -> tuple[Cost, ...]:
    return costs(setting, problem_of(setting))


@st.cache_data(max_entries=200, show_spinner=False)
def exact_at(setting: Setting) -> Agreement:
    return exact_ways(setting, problem_of(setting))


@st.cache_data(max_entries=200, show_spinner=False)
def one_step_at(setting: Setting) -> Agreement:
    return one_step_ways(setting, problem_of(setting))


lesson.header(NAME)
on_map = shortcut_controls.on_map()
seen = landscape(on_map.problem, on_map.rates, key="shortcuts", arrows=ARROWS, matrices=False)
st.caption(shortcut_prose.ON_MAP)

st.subheader("The same nine on a network of 1761 weights", anchor=False)
setting = shortcut_controls.on_network(on_map.knobs)
rows = rows_at(setting)
question = "Of seven shortcuts on this network and its ten tasks, which is closest to MAML in angle?"
revealed = guessing.predict(NAME, question, choices(rows))
if revealed:
    if any(row.finite for row in rows):
        st.plotly_chart(charts_shortcuts.standings(rows), key="standings", alt=standing(rows))
    lesson.vectors_line(exact_at(loop_of(setting)), "slopes of MAML's exact meta-gradient (one per leaf of θ)")
table(rows, costs_at(priced(setting)), revealed=revealed)
st.markdown(overshoot(setting))

st.subheader("Turn a knob", anchor=False)
turned, later = asked(), st.container()
if not revealed:
    later.caption("The sweeps show what you are asked to predict: they wait for your answer above.")

st.subheader("Looking back through the last m steps alone", anchor=False)
lesson.prose(shortcut_prose.TRUNCATED)
shortcut_labs.truncation(setting, revealed=revealed)

st.subheader("iMAML, honestly", anchor=False)
lesson.prose(shortcut_prose.HONEST)
shortcut_labs.honest_imaml(setting)
lesson.derivation("implicit_gradient")

st.subheader("What ANIL and BOIL hold still", anchor=False)
shortcut_labs.held_still(setting)

st.subheader("Many small steps, one leap back", anchor=False)
lesson.prose(shortcut_prose.LEAP)
lesson.vectors_line(one_step_at(loop_of(setting)), "vector at k = 1, where one leap with β = α has to be MAML")
lesson.derivation("one_leap")

claims.under_test(NAME)
parameters = on_map.parameters | {"theta": written(seen.theta)} | shortcut_controls.parameters(setting)
parameters |= {"sweep": turned.knob, "measure": turned.measure}
address = lesson.link(parameters)
script = partial(shortcuts_script, setting, problem_of(setting), rows, address, rough=overshooting(setting) > 0)
lesson.take_away(address, script, "shortcuts.py")
lesson.takeaway(shortcut_prose.TAKEAWAY)
lesson.sources(*shortcut_prose.SOURCES)
lesson.footer(NAME)
if revealed:  # last, because it takes longest: everything else is there while the knob turns
    with later:
        sweeps(setting, rows, turned)
