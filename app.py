"""The syllabus: every lesson in reading order. What a lesson says and does is in its own file."""

from pathlib import Path

import streamlit as st

from pages.ui import syllabus

ASSETS = Path(__file__).parent / "assets"

st.set_page_config(page_title="Through the Inner Loop", page_icon=str(ASSETS / "icon.png"), layout="wide")
st.html(ASSETS / "page.css")
st.navigation(syllabus.pages(), position="top").run()
