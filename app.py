"""The syllabus: every lesson in reading order. What a lesson says and does is in its own file."""

from pathlib import Path

import streamlit as st

from pages.ui import syllabus, visit

ASSETS = Path(__file__).parent / "assets"

# Before st.navigation, or the browser would fetch the icon of the page from another host.
st.set_page_config(page_icon=str(ASSETS / "icon.png"), layout="wide")
page = st.navigation(syllabus.pages(), position="top")
st.set_page_config(page_title=f"{page.title} · Through the Inner Loop")
st.html(ASSETS / "page.css")
visit.come_back(page.url_path)
try:
    page.run()
finally:  # also where a page stops early
    visit.leave(page.url_path)
