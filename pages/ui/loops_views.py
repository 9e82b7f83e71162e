"""Lesson 10's furniture: choosing a loop, guessing, the verdict with its repair, and the visit's table."""

import difflib
from collections.abc import Sequence

import streamlit as st

from maml_core.numerals import numeral
from maml_core.practice.loops.bench import ALL, BENCH, SYMPTOMS, Examined, examine, examine_repaired
from maml_core.practice.loops.judging import Finding, Mark, Verdict
from maml_core.practice.loops.landmarks import checked
from maml_core.practice.loops.loop import Loop
from maml_core.practice.loops.with_libraries import PATTERN
from pages.ui import charts_loops, controls, guessing, lesson

WORDS: dict[Verdict, str] = {
    "exact": "the meta-gradient",
    "first order": "the first-order gradient",
    "wrong": "another vector",
    "zero": "zeros",
    "None": "None",
    "raises": "nothing: an error",
}
COLOURS: dict[Verdict, str] = {
    "exact": "green",
    "first order": "blue",
    "wrong": "orange",
    "zero": "orange",
    "None": "orange",
    "raises": "red",
}
UNJUDGED = "nothing: just looked"
AGREES = 1e-6  # relative: a difference quotient's own error is far below


def question(name: str, title: str) -> str:
    """What the guess on this loop is kept under."""
    return f"{name}: {title}"


def choose_symptom() -> str:
    help_text = "Lists only the loops that show it when they run. As it gives the answer away, nothing is asked then."
    return controls.listed("symptom", "symptom", (ALL, *SYMPTOMS.values()), ALL, help_text)


def choose_loop(titles: tuple[str, ...]) -> str:
    """One of the loops that show the symptom."""
    if st.session_state.get("loop", titles[0]) not in titles:
        st.session_state["loop"] = titles[0]
    help_text = "Code as people write it. It runs as it stands."
    return controls.listed("loop", "inner loop", titles, titles[0], help_text, known=tuple(BENCH))


def with_symptom(label: str) -> tuple[str, ...]:
    """Titles of the loops that show it; running all of them takes seconds, once for this server."""
    if label == ALL:
        return tuple(BENCH)
    key = next(key for key, text in SYMPTOMS.items() if text == label)
    waiting = st.empty()
    found = []
    for i, title in enumerate(BENCH):
        waiting.progress((i + 1) / len(BENCH), f"Running {title} …")
        found += [title] if key in examine(title).symptoms else []
    waiting.empty()
    return tuple(found)


def predict(name: str, loop: Loop, seen: Examined, symptom: str) -> bool:
    """Ask what is in p.grad; but who came with a symptom knows, so the answer shows, and counts as looked at."""
    asked = question(name, loop.title)
    if symptom != ALL and asked not in st.session_state.get("guesses", {}):
        guessing.remember(asked, None)
    return guessing.predict(
        asked,
        "When it is done, `p.grad` holds …",
        [guessing.Choice(text, verdict == seen.finding.verdict, "") for verdict, text in WORDS.items()],
    )


def code(loop: Loop) -> None:
    st.caption(f"Runs here on {loop.library}.{_pattern(loop)}")
    st.code(loop.source, language="python", height=430 if loop.helpers else "content")


def _pattern(loop: Loop) -> str:
    if loop.library != PATTERN:
        return ""
    return " learn2learn 0.2.0 does not build on Python 3.11, so clone_module and adapt are ours, after its pattern."


def verdict(loop: Loop, seen: Examined) -> None:
    """What was measured, in words; then why, the repair as a diff, and where people met it."""
    st.markdown(f":{COLOURS[seen.finding.verdict]}[:material/gavel:] {_measured(loop, seen)} {_slope(seen)}")
    if seen.error:
        st.code(seen.error, language=None, wrap_lines=True)
    st.markdown(f"**Why.** {loop.reason}")
    if seen.finding.verdict != "exact":
        st.markdown("**Symptoms:** " + "; ".join(SYMPTOMS[name] for name in seen.symptoms) + ".")
    if loop.repaired is not None:
        _repair(loop)
    if loop.links:
        met = ", ".join(f"[{name}]({address})" for name, address in loop.links.items())
        st.markdown(f"People discuss this in {met}.")


def _measured(loop: Loop, seen: Examined) -> str:
    finding = seen.finding
    target = "the gradient of its own query loss" if loop.own_target else "the meta-gradient"
    against = ""
    if finding.degrees is not None and finding.length is not None:
        degrees, length = numeral(finding.degrees, 3), numeral(finding.length, 3)
        against = f"It is {degrees}° from {target} and {length} times as long."
    match finding.verdict:
        case "exact":
            off = lesson.scientific(finding.difference or 0.0)
            return f"**Exact.** `p.grad` is {target}, to {off} of its length."
        case "zero":
            return "**Zero.** Every number in `p.grad` is 0."
        case "None":
            return "**None.** No gradient reached the model's parameters."
        case "raises":
            return "**It raises an error**, so there is no gradient."
        case "first order":
            return f"**First order.** `p.grad` is ∇L_q(φ). {against}"
    known = f"`p.grad` is {finding.name}." if finding.name else "`p.grad` is no vector that has a name here."
    return f"**Another vector.** {known} {against}"


def agreement(loop: Loop) -> None:
    """The reference by independent ways."""
    own = "This loop has another rule or network, and a target of its own: central differences of its own loss."
    note = own if loop.own_target else "Everything above is measured against it."
    lesson.vectors_line(checked(), "meta-gradient of the published problem", note)


def compass(marks: Sequence[Mark], loop: Loop, finding: Finding | None) -> None:
    """The known vectors, and the loop's own once it may be shown."""
    if loop.own_target:  # they belong to the published problem, and this loop's target does not
        marks = [mark for mark in marks if mark.name == "exact"]
    words = charts_loops.in_words(marks, finding)
    st.plotly_chart(charts_loops.compass(marks, finding), key="compass", alt=words)
    if loop.own_target:
        st.caption("Here the meta-gradient is that of this loop's own rule and network.")


def _slope(seen: Examined) -> str:
    """The test that needs no reference: the loop's own loss, nudged, against what its gradient promises."""
    if seen.slope is None:
        return ""
    text = (
        f"Nudge θ along a fixed direction: the query loss that this loop returns changes by {numeral(seen.slope, 4)}"
    )
    if seen.promised is None:
        return f"{text} per unit. It depends on θ, and no gradient says so."
    text += f" per unit, and `p.grad` promises {numeral(seen.promised, 4)}."
    if abs(seen.slope - seen.promised) > AGREES * abs(seen.slope):
        return text
    right = seen.finding.verdict == "exact"
    return f"{text} They agree" + ("." if right else ": a true gradient, of another loss than MAML's.")


def _repair(loop: Loop) -> None:
    again = examine_repaired(loop.title).finding
    off = f", to {lesson.scientific(again.difference)} of its length" if again.difference is not None else ""
    st.markdown(f"**Repair.** {loop.repair} Run again, `p.grad` holds {WORDS[again.verdict]}{off}.")
    with st.expander("The repair, line by line"):
        lines = difflib.unified_diff(loop.source.splitlines(), loop.repaired_source.splitlines(), lineterm="", n=1)
        st.code("\n".join(line for line in list(lines)[2:] if not line.startswith("@@")), language="diff")


def judged_table(name: str) -> None:
    """Every loop of this visit that was guessed or looked at."""
    rows = {}
    for title in BENCH:
        if question(name, title) in st.session_state.get("guesses", {}):
            guess, finding = guessing.made(question(name, title)), examine(title).finding
            rows[title] = {
                "you said": guess.text if guess else UNJUDGED,
                "it is": f":{COLOURS[finding.verdict]}[{WORDS[finding.verdict]}]",
                "angle": "–" if finding.degrees is None else f"{numeral(finding.degrees, 3)}°",
                "length": "–" if finding.length is None else f"× {numeral(finding.length, 3)}",
            }
    if rows:
        judged = sum(row["you said"] != UNJUDGED for row in rows.values())
        st.subheader("The loops you have judged or looked at", anchor=False)
        st.table(lesson.rows_to_columns(rows))
        st.caption(
            f"{len(rows)} of {len(BENCH)}, {judged} of them judged. Angle and length are against the exact gradient."
        )
