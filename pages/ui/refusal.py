"""An error that PyTorch raised, as a result to look at."""

import streamlit as st

from maml_core.graphs.ledger import Ledger


def refusal(ledger: Ledger) -> None:
    """PyTorch's words and ours, if the program stopped; nothing otherwise."""
    failure = ledger.failure
    if failure is None:
        return
    text = f":material/front_hand: **Line {failure.line} stopped**, in PyTorch's words:"
    with st.container(border=True):
        st.markdown(text)
        st.code(f"RuntimeError: {failure.words}", language=None, wrap_lines=True)
        st.markdown(failure.reading)
        if ledger.failed_halfway:
            st.markdown(
                "It did not stop cleanly: a `.grad` had already been added to before the engine came to the "
                "node that failed, so the leaves now hold neither the old gradient nor the new."
            )
