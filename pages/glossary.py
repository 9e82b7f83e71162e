"""Glossary: every term once, with its symbol, its name in code, and the lesson where it is born."""

import streamlit as st

from pages.ui import lesson, term_list

st.title("Glossary and sources", anchor=False)
wanted = term_list.search()
term_list.terms(wanted)
st.header("Sources", anchor="sources")
st.markdown(
    "The course grew out of five documents. Each is good for something, and each says something that a run refutes: "
    "lesson 12 puts forty-five of their sentences to the test."
)
term_list.sources()
lesson.link_to_this(lesson.link({"find": wanted}))
