"""Live trainings in a page: whose runs they are, how they are told what to do, and the chart that follows them.

    desk = live.desk()                            # this reader's place at the pool
    run = desk.run("lab")                         # a Snapshot, or None
    st.button("Pause", on_click=live.tell, args=("pause", "lab"))
    live.refusal("lab")                           # the sentence, if the last command could not be done
    live.chart(desk, "lab", panels, empty="Press Start.", moving=bool(run and run.live))

The chart is a component that asks `/api/run` four times a second while a run moves (`feeds.FEEDS` has the answers),
and tells the page once when it has stopped. Without serve.py there is no such route: then a fragment redraws plain
charts.
"""

import atexit
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st
from streamlit.components.v2 import component

from maml_core.train import pool as pools
from maml_core.train.pool import Pool
from maml_core.train.snapshots import Snapshot
from pages.ui import charts_live, plain_live
from pages.ui.charts_live import Panel
from pages.ui.feeds import FEEDS

ASSETS = Path(__file__).parents[2] / "assets"
COMPONENT = component(
    "live",
    css=(ASSETS / "live.css").read_text(),
    js=(ASSETS / "live.js").read_text(),
    isolate_styles=False,  # Plotly puts its styles into the document, where a shadow root does not see them
)
_LONGEST_TOKEN = 64
MOVED = "This run moved to another tab of yours."
_READER, _OWNER, _ASKED = "reader", "reader's page", "reader was asked"


@dataclass
class Handle:
    """One session's hold on its runs. Streamlit lets go of it when the page is closed."""

    owner: str
    pool: Pool | None = None
    token: str = ""


def _let_go(handle: Handle) -> None:
    if handle.pool is not None:
        handle.pool.detach(handle.token, handle.owner)


@st.cache_resource(scope="session", on_release=_let_go, show_spinner=False)
def _handle() -> Handle:
    return Handle(secrets.token_hex(8))


@st.cache_resource(show_spinner=False)
def _own_pool() -> Pool:
    """Where no server made one: plain `streamlit run app.py`."""
    pool = Pool()
    atexit.register(pool.close)
    return pool


class Desk(NamedTuple):
    """A reader's place at the pool. `token` is empty until there is something to keep."""

    pool: Pool
    token: str
    owner: str
    moved: bool  # another tab has taken the runs over

    def run(self, name: str) -> Snapshot | None:
        return None if self.moved or not self.token else self.pool.snapshot(self.token, name, self.owner)


def desk() -> Desk:
    """This reader's place. A handle that Streamlit has renewed, after a lost connection, takes over from the old."""
    handle, pool = _handle(), pools.SHARED or _own_pool()
    token, before = st.session_state.get(_READER, ""), st.session_state.get(_OWNER, "")
    if token and before != handle.owner and pool.owns(token, before):
        pool.attach(token, handle.owner)
        st.session_state[_OWNER] = handle.owner
    if token and not pool.knows(token):
        token = st.session_state[_READER] = ""
    handle.pool, handle.token = pool, token
    return Desk(pool, token, handle.owner, bool(token) and not pool.owns(token, handle.owner))


def _keep(token: str) -> None:
    """From now on this is the session's reader."""
    handle = _handle()
    handle.token = st.session_state[_READER] = token
    st.session_state[_OWNER] = handle.owner


def take_over() -> None:
    """Bring the runs of this reader back from another tab."""
    here = desk()
    if here.pool.attach(here.token, here.owner):
        _keep(here.token)


def tell(what: str, name: str, *args: Any, **options: Any) -> None:  # noqa: ANN401
    """Give the run `name` a command of the pool; made for `on_click`. What cannot be done is kept for `refusal`."""
    told(what, name, *args, **options)


def told(what: str, name: str, *args: Any, **options: Any) -> bool:  # noqa: ANN401
    """As `tell`; whether it was done.

    False if nothing was done: a page whose runs have moved to another tab commands nothing, and says so by its chart.
    """
    here = desk()
    if here.moved:
        return False
    try:
        if not here.token:
            _keep(here.pool.admit(here.owner))
        getattr(here.pool, what)(st.session_state[_READER], name, *args, **options)
        st.session_state.pop(_refused(name), None)
    except ValueError as error:  # Refused and CheckpointError are such
        st.session_state[_refused(name)] = str(error)
        return False
    return True


def _refused(name: str) -> str:
    return f"refused: {name}"


def refusal(name: str) -> str:
    """Why the last command could not be done; empty if it could."""
    return st.session_state.get(_refused(name), "")


def chart(
    desk: Desk,
    feed: str,
    panels: Mapping[str, Panel],
    *,
    empty: str,
    moving: bool,
    query: Mapping[str, object] | None = None,
) -> None:
    """The panels, following the runs of a feed. `empty`: what is said as long as there is none.

    `moving`: for which the page has drawn its buttons; a run may end between them and the look that is taken here.
    """
    if desk.moved:
        say_moved()
        empty = "Its curves are in that tab now."
        panels = {name: panel._replace(hint=panel.hint and empty) for name, panel in panels.items()}
    query = {"feed": feed} | {name: str(value) for name, value in (query or {}).items()}
    look = partial(_look, desk, query)
    if pools.SHARED is None:
        plain_live.chart(look, panels, empty, moving=moving)
        return
    data = {
        "token": "" if desk.moved else desk.token,
        "owner": desk.owner,
        "ask": not desk.token and not st.session_state.get(_ASKED),
        "base": base(),
        "plotly": charts_live.LIBRARY,
        "query": query,
        "panels": {name: panel._asdict() for name, panel in panels.items()},
        "now": look(),
        "moving": moving,
        "empty": empty,
    }
    key = f"live {feed}"
    back = partial(_come_back, key)
    COMPONENT(key=key, data=data, on_token_change=back, on_ended_change=_nothing, on_lost_change=_nothing)


def ask(desk: Desk, feed: str) -> None:
    """Where nothing live is shown (yet): let the browser tell whether it has kept a token over a reload."""
    if pools.SHARED is not None and not desk.token:
        chart(desk, feed, {}, empty="", moving=False)


def _look(desk: Desk, query: Mapping[str, str]) -> dict[str, Any] | None:
    return FEEDS[query["feed"]](desk.pool, desk.token, desk.owner, query) if desk.token and not desk.moved else None


def say_moved() -> None:
    """The sentence for a page whose runs are in another tab, and the way to bring them back."""
    st.warning(MOVED, icon=":material/tab_move:")
    st.button("Bring it here", on_click=take_over)


def base() -> str:
    """The path under which this app is served; empty for the root."""
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


def _nothing() -> None:
    """The rerun that a trigger brings is all that is wanted."""


def _come_back(key: str) -> None:
    """The browser tells the token that it has kept over a reload; one who has none gets a place of their own."""
    st.session_state[_ASKED] = True
    stored, here = str(st.session_state[key].get("token") or ""), desk()
    if not here.token:
        known = len(stored) <= _LONGEST_TOKEN and here.pool.attach(stored, here.owner)
        _keep(stored if known else here.pool.admit(here.owner))
