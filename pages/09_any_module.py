"""Lesson 9. MAML for any nn.Module: a sketch that stops four times, then runs and learns nothing."""

from functools import partial

import streamlit as st

from maml_core.meta.agreement import Agreement
from maml_core.practice.attempts import calling, holding, own_params
from maml_core.practice.module_script import module_script
from maml_core.practice.modules_explained import ModuleExplained, explain_module, slopes_agree
from maml_core.practice.networks import NETWORKS
from maml_core.practice.trying import ATTEMPTS, source
from pages.ui import claims, controls, lesson, module_views

NAME = "09_any_module"
DOCS = "https://docs.pytorch.org/docs/stable"
TITLES = tuple(attempt.title for attempt in ATTEMPTS)


@st.cache_data(max_entries=200, show_spinner=False)
def explained(network: str, attempt: int, inner_lr: float, inner_steps: int) -> ModuleExplained:
    return explain_module(network, attempt, inner_lr=inner_lr, inner_steps=inner_steps)


@st.cache_data(max_entries=100, show_spinner=False)
def agreed(network: str, inner_lr: float, inner_steps: int) -> Agreement:
    return slopes_agree(network, inner_lr=inner_lr, inner_steps=inner_steps)


lesson.header(NAME)
with st.container(horizontal=True, gap="medium"):
    network = controls.network({name: kind.what for name, kind in NETWORKS.items()})
    inner_steps, inner_lr = controls.module_steps(5)
attempt = controls.attempt(TITLES, TITLES[0])
tried = explained(network, attempt, inner_lr, inner_steps)

revealed = module_views.predict(NAME, attempt, tried)
left, right = st.columns([2, 1], gap="medium")
with left:
    module_views.code(attempt)
with right:
    module_views.outcome(tried, revealed=revealed)
with st.expander("`own_params`, `holding` and `calling`: what the attempts call"):
    st.code("\n\n\n".join(map(source, (own_params, holding, calling))), language="python")

lesson.prose(
    """
MAML for *any* network needs one thing that `nn.Module` does not offer: to be run with other weights than its own, and
with weights that have a history. The sketch makes a copy and writes the adapted numbers into it. Numbers have no
history, so everything after that is cut off from θ. PyTorch says so, once; each quick repair of that message silences
it a little more, until nothing complains and nothing learns.
"""
)
if revealed:
    st.subheader("What no message says", anchor=False)
    module_views.silence(tried, inner_lr=inner_lr, inner_steps=inner_steps)
    answered = module_views.answered(NAME)
    if answered:
        module_views.courses(answered, inner_lr=inner_lr, inner_steps=inner_steps)
    if TITLES.index("7 chained") in answered:
        slopes = agreed(network, inner_lr, inner_steps)
        lesson.vectors_line(slopes, "slopes of the meta-loss along three directions", "This is the seventh attempt.")

st.subheader("What layers do to it", anchor=False)
topic = module_views.choose_topic()
module_views.layers(topic)

if revealed:
    claims.under_test(NAME)

choices = {"network": network, "inner_steps": inner_steps, "alpha": inner_lr}
address = lesson.link({**choices, "attempt": TITLES[attempt], "topic": topic})
agrees = revealed and agreed(network, inner_lr, inner_steps).agrees
settings = {"inner_lr": inner_lr, "inner_steps": inner_steps, "link": address, "agrees": agrees}
lesson.take_away(address, partial(module_script, network, attempt, tried, **settings), "any_module.py")
lesson.takeaway(
    "Hand the network its tensors, not their values (`functional_call`), and start every step where the last one "
    "ended. Then check the gradient against a nudge: the loss cannot tell you."
)
lesson.sources(
    "C. Finn, P. Abbeel, S. Levine (2017), *Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks*: "
    "[arXiv 1703.03400](https://arxiv.org/abs/1703.03400).",
    f"PyTorch, [`torch.func.functional_call`]({DOCS}/generated/torch.func.functional_call.html); "
    f"[BatchNorm and functions]({DOCS}/func.batch_norm.html); "
    f"[randomness and in-place writes under vmap]({DOCS}/func.ux_limitations.html); "
    f"[in-place operations and autograd]({DOCS}/notes/autograd.html#in-place-operations-with-autograd).",
    "The sketch retells the generic code of “Some notes from implementing model agnostic meta learning” (blog notes, "
    "January 2025), whose author warned that it might not run; the OmniglotCNN is the one it times.",
)
lesson.footer(NAME)
