"""What the engine says about a run, kept as long as the run's bytes are the same."""

from typing import Any

import streamlit as st

from maml_core.train import adapting, own_task, starts
from maml_core.train.checkpoint import loads
from maml_core.train.config import Config
from maml_core.train.evaluate import Summary
from maml_core.train.stability import Stability, stability
from maml_core.training_graph.recording import StepGraph, record_step

KEEP: dict[str, Any] = {"max_entries": 64, "show_spinner": False}
BASELINES = {"pretrained": "pretrained", "from scratch": "scratch"}
YOURS = "your θ"


@st.cache_data(**KEEP)
def config_of(run: bytes) -> Config:
    return loads(run)[1]


@st.cache_data(**KEEP)
def step_of(run: bytes) -> int:
    return int(loads(run)[0].step)


@st.cache_data(**KEEP)
def unseen_curves(run: bytes, steps: int) -> adapting.Adaptation:
    state, config = loads(run)
    return adapting.unseen_curves(config, state.theta, steps=steps)


@st.cache_data(**KEEP)
def errors(run: bytes, steps: int, tasks: int, shots: int) -> adapting.Errors:
    state, config = loads(run)
    return adapting.errors(config, state.theta, steps=steps, tasks=tasks, shots=shots)


@st.cache_data(**KEEP)
def baseline(kind: str, config: Config, steps: int, tasks: int) -> tuple[adapting.Errors, float]:
    """The errors of a baseline, and the rate at which it adapts."""
    own, theta = starts.start(kind, config, shots=config.shots, steps=steps)
    return adapting.errors(own, theta, steps=steps, tasks=tasks, shots=config.shots), own.options["inner_lr"]


@st.cache_data(**KEEP)
def floor(config: Config, tasks: int) -> Summary:
    return adapting.floor(config, tasks=tasks)


@st.cache_data(**KEEP)
def own_points(run: bytes, points: tuple[own_task.Point, ...], steps: int) -> own_task.OwnTask:
    """Raises ValueError for points that cannot be a task."""
    support = own_task.own_points(points)  # before the baselines look for their rates
    state, config = loads(run)
    shots = support.x.shape[1]
    others = {name: starts.start(kind, config, shots=shots, steps=steps) for name, kind in BASELINES.items()}
    return own_task.adapt_to(points, {YOURS: starts.Start(config, state.theta), **others}, steps=steps)


@st.cache_data(**KEEP)
def stable(run: bytes) -> Stability:
    return stability(*loads(run))


@st.cache_data(**{**KEEP, "max_entries": 8})
def step_graph(run: bytes) -> StepGraph:
    return record_step(*loads(run))
