"""The syllabus: every lesson in reading order. What a lesson says and does is in its own file."""

from pathlib import Path

import streamlit as st

from pages.ui import syllabus, visit

ASSETS = Path(__file__).parent / "assets"

page = st.navigation(syllabus.pages(), position="top")
st.set_page_config(
    page_title=f"{page.title} · Through the Inner Loop", page_icon=str(ASSETS / "icon.png"), layout="wide"
)
st.html(ASSETS / "page.css")
visit.come_back(page.url_path)
page.run()
visit.leave(page.url_path)
