"""The syllabus: every lesson in reading order. What a lesson says and does is in its own file."""

import streamlit as st

from pages.ui import lesson

st.set_page_config(page_title="Through the Inner Loop", page_icon=":material/all_inclusive:", layout="wide")
st.navigation(lesson.pages(), position="top").run()
