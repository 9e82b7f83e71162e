"""What a server runs: `streamlit run serve.py`. It prepares the process; app.py is the app."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

# Imported here, before the first reader, because torch takes seconds and because two script threads that import
# plotly for the first time at once can find it half initialised.
import pages.ui.charts  # noqa: F401
from maml_core.graphs import explaining, explaining_calls
from maml_core.practice.loops import bench

# With a folder called pages/ beside it, a fresh server would take a deep link for Streamlit's older kind of
# multipage app and never run app.py. Internal, hence the pinned version and a browser test.
PagesManager.uses_pages_directory = False


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """The first recording in a process is a hundred times slower than the second: nobody should wait for it."""
    explaining.warm_up()
    explaining_calls.warm_up()
    bench.warm_up()
    # Streamlit collects garbage after every run. What is imported stays anyway, and walking all of it each time would
    # stop every thread of the server for a tenth of a second and more.
    gc.collect()
    gc.freeze()
    yield


app = st.App("app.py", lifespan=lifespan)
