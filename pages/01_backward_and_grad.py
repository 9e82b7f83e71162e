"""Lesson 1. Backward adds, grad returns: what is in `.grad` after each line, and what each call leaves behind."""

from functools import partial

import streamlit as st

from maml_core.graphs.explaining_calls import CallsExplained, explain_calls
from maml_core.graphs.ledger_script import ledger_script
from maml_core.graphs.two_calls import FIRST, SECOND, TwoCalls
from pages.ui import calls, calls_question, claims, lesson
from pages.ui.ledger_views import ledger_views, moments, where_to_look
from pages.ui.linked import linked_views, view_from_url
from pages.ui.refusal import refusal

NAME = "01_backward_and_grad"
DOCS = "https://docs.pytorch.org/docs/stable"


@st.cache_data(max_entries=200, show_spinner=False)
def explained(two_calls: TwoCalls, inputs: dict[str, float]) -> CallsExplained:
    return explain_calls(two_calls, inputs)


lesson.header(NAME)
two_calls, inputs, parameters = calls.choose()
explanation = explained(two_calls, inputs)
revealed = calls_question.predict(NAME, explanation)
shown = moments(explanation, revealed=revealed)
view = view_from_url("after", shown, default=where_to_look(explanation, revealed=revealed), ghosts=False)
key = f"ledger_views_{revealed}"  # so that the view moves on to the line that has been predicted
seen = linked_views(ledger_views(explanation, revealed=revealed), view, key=key, run_name="after")
if revealed:
    refusal(explanation.ledger)
    lesson.partials_line(explanation.partials, explanation.in_float32)

lesson.prose(
    f"""
`backward()` sends a gradient from the output to every leaf and **adds** it to the leaf's `.grad`: the first arrival
creates it, each further one is summed in. That is useful when a batch is worked through in pieces, and it is why a
training loop calls `zero_grad` before every step. `autograd.grad` runs the same backward pass but **returns** what
arrives and leaves `.grad` alone. MAML's inner loop uses it, so that no inner gradient leaks into what the outer
optimiser reads.

{FIRST} and {SECOND} are computed by equal lines, yet each line writes down nodes of its own; only the leaves are
shared. Many nodes keep tensors for their derivative. A call frees them as it goes, and a second call through the same
nodes finds them gone. The bytes count every saved storage once; a leaf that both graphs saved is one storage.
"""
)
if revealed:  # they name the numbers that are to be predicted
    claims.under_test(NAME)

address = lesson.link({**parameters, **seen})
lesson.take_away(address, partial(ledger_script, explanation, address), "backward_and_grad.py")
lesson.takeaway(
    "`backward()` adds its gradient to `.grad`; `autograd.grad` returns it. Both free what their graph had saved, "
    "unless told to retain it."
)
lesson.sources(
    f"PyTorch, [`Tensor.backward`]({DOCS}/generated/torch.Tensor.backward.html), "
    f"[`autograd.grad`]({DOCS}/generated/torch.autograd.grad.html), "
    f"[`zero_grad`]({DOCS}/generated/torch.optim.Optimizer.zero_grad.html).",
    f"PyTorch, [saved tensors]({DOCS}/notes/autograd.html#saved-tensors), which the byte counts watch.",
    "The product at (3, 4, 5) is the worked example of “Some notes from implementing model agnostic meta learning” "
    "(blog notes, January 2025).",
)
lesson.footer(NAME)
