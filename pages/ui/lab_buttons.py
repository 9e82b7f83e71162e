"""The lab's buttons: what a reader may tell the run at this moment, and taking a run away or bringing one."""

import csv
import io
from collections.abc import Callable
from dataclasses import fields

import streamlit as st

from maml_core.train.checkpoint import loads
from maml_core.train.config import Config
from maml_core.train.curve import smoothed
from maml_core.train.scripts import command_line, first_losses, lab_script
from maml_core.train.snapshots import Snapshot
from pages.ui import controls, feeds, lab_controls, live
from pages.ui.live import Desk

NAME = "lab"
WITH_THESE = "Start again with these"
MANY = 100  # steps of the button for several
_UPLOAD = "lab_upload"


def buttons(desk: Desk, run: Snapshot | None, wanted: Config) -> None:
    """Start, pause or resume in one place; then steps, stop, reset; and why the last one could not be done."""
    live_now, ended = bool(run and run.live), bool(run and run.iteration >= run.config.iterations)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        _first(run, wanted, ended, disabled=desk.moved)
        idle = desk.moved or live_now or ended
        st.button("1 step", disabled=idle, on_click=_advance, args=(1, wanted))
        st.button(f"{MANY} steps", disabled=idle, on_click=_advance, args=(MANY, wanted))
        _plain("Stop", "stop", disabled=not live_now)
        _plain("Reset", "restart_alt", disabled=run is None or live_now)
        if run and run.config != wanted and not ended:  # at its end, the first button starts again
            _again(wanted)
        take_away(desk, run)
    if sentence := live.refusal(NAME):
        st.markdown(f":red[{controls.escaped(sentence)}]")
    if run and run.config != wanted:
        st.caption(f"The run has other settings than the controls: {differences(run.config, wanted)}.")


def _plain(label: str, icon: str, *, disabled: bool) -> None:
    """A button that is called like the command it gives."""
    args = (label.lower(), NAME)
    st.button(label, icon=f":material/{icon}:", disabled=disabled, on_click=live.tell, args=args)


def _again(wanted: Config) -> None:
    st.button(
        WITH_THESE,
        icon=":material/replay:",
        on_click=live.tell,
        args=("start", NAME, wanted),
        help="The controls have changed since this run began. It goes on undisturbed until you press this.",
    )


def _first(run: Snapshot | None, wanted: Config, ended: bool, *, disabled: bool) -> None:
    """The button that matters most now. One key for all, so that the focus stays on it."""
    label, icon, what = "Start", "play_arrow", ("start", NAME, wanted)
    if run and run.live:
        label, icon, what = "Pause", "pause", ("pause", NAME)
    elif run and not ended:
        label, icon, what = "Resume", "play_arrow", ("resume", NAME)
    elif run:
        label = "Start again" if run.config == wanted else WITH_THESE
    st.button(
        label,
        key="lab first",
        icon=f":material/{icon}:",
        type="primary",
        disabled=disabled,
        on_click=live.tell,
        args=what,
    )


def _advance(steps: int, wanted: Config) -> None:
    """So many steps, from where it is or from the first weights: decided now, for a second press may come so soon
    that the page still shows what was before the first."""
    if live.desk().run(NAME):
        live.tell("step", NAME, steps)
    else:
        live.tell("start", NAME, wanted, steps=steps)


def differences(run: Config, wanted: Config) -> str:
    """What the controls ask for and the run does not have."""
    pairs = [(spec.name, getattr(run, spec.name), getattr(wanted, spec.name)) for spec in fields(Config)]
    return ", ".join(f"{name} {_said(has)} → {_said(asks)}" for name, has, asks in pairs if has != asks)


def _said(value: object) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


def take_away(desk: Desk, run: Snapshot | None) -> None:
    """Export and import. To open it runs the page: a run that trains is taken as it is at that moment, and what an
    earlier opening showed is never offered again."""
    with st.popover("Export, import", icon=":material/swap_vert:", key="lab files", on_change="rerun") as files:
        if files.open:
            _exports(desk, run)
        st.file_uploader(
            "Go on with a saved run",
            type=["safetensors"],
            key=_UPLOAD,
            on_change=_import,
            disabled=desk.moved,
            max_upload_size=desk.pool.limits.reader_mib,
            help="A .safetensors file from here or from `python -m maml_core train`. It takes the place of the run.",
        )


def _exports(desk: Desk, run: Snapshot | None) -> None:
    if desk.moved:
        st.caption("The run is in another tab: take it away there, or bring it here.")
    elif run is None:
        st.caption("Once a run has started, its θ, its curve, its command line and a script are here.")
    else:
        _export(desk, run)


def _export(desk: Desk, run: Snapshot) -> None:
    name = f"{run.config.algorithm}-{run.state_step}"
    st.caption(f"The run at step {feeds.spaced(run.state_step)}" + (", when you opened this." if run.live else "."))
    _download("θ and its configuration", run.state, f"{name}.safetensors", "The file that the import below reads.")
    _download("The loss curve as CSV", lambda: curve_csv(desk, run), f"{name}.csv", "Every step of this run.")
    about = "One Python file that needs only PyTorch: the engine's source, and an assert for each first loss."
    _download("A script that repeats it", script(desk, run, run.config), f"{name}.py", about)
    st.caption(_about_command(run))
    st.code(command_line(run.config, run.state_step or run.config.iterations), language="bash", wrap_lines=True)
    if run.iteration >= run.config.iterations:
        st.caption(
            "All of its steps are done. To train it further, save its θ and give the command line a larger number: "
            f"`python -m maml_core train --resume {name}.safetensors --iterations {2 * run.config.iterations}`, say. "
            "The file that this writes can be brought back below."
        )
    st.caption("The charts can be saved as SVG by the camera in their corner.")


def _about_command(run: Snapshot) -> str:
    """What the command line does; it cannot be told to do no step."""
    if run.state_step:
        return "The same on a command line:"
    if run.status == "failed":
        return "The same on a command line; it breaks off at the first step, as this run did:"
    return "This run has kept no step yet. All of its steps on a command line:"


def _download(label: str, data: bytes | Callable[[], str], file_name: str, about: str) -> None:
    st.download_button(label, data, file_name, on_click="ignore", icon=":material/download:", help=about)


def script(desk: Desk, run: Snapshot | None, wanted: Config) -> Callable[[], str]:
    """The script of the run, or of the first steps that the controls ask for if there is none."""
    if run is None:
        return lambda: lab_script(wanted, first_losses(wanted))
    return lambda: lab_script(run.config, desk.pool.losses(desk.token, NAME), first=run.first)


def curve_csv(desk: Desk, run: Snapshot) -> str:
    """Every loss with the number of its step, as far as the file's name and its θ go: a run may have gone on."""
    losses = desk.pool.losses(desk.token, NAME)[: run.state_step - run.first]
    rows = zip(range(run.first + 1, run.first + 1 + len(losses)), losses, smoothed(losses), strict=True)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["step", "query_loss", "smoothed"])
    writer.writerows(rows)
    return out.getvalue()


def _import() -> None:
    """A file was chosen: it becomes the run, paused, and the controls show its configuration."""
    file = st.session_state.get(_UPLOAD)
    if file is not None:
        data = file.getvalue()
        if live.told("load", NAME, data):
            lab_controls.show(loads(data)[1])
