"""What a server runs: `streamlit run serve.py`. It prepares the process; app.py is the app.

Beside the app it owns the workers that train (maml_core.train.pool), and answers on two routes: plotly.js for the
live chart, and /api/run, a run's numbers for the reader who knows its token.
"""

import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
import torch
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from streamlit.runtime.pages_manager import PagesManager

# Imported here, before the first reader, because torch takes seconds and because two script threads that import
# plotly for the first time at once can find it half initialised.
from maml_core.graphs import explaining, explaining_calls
from maml_core.practice import layers_tried
from maml_core.practice.loops import bench
from maml_core.train import pool
from pages.ui import charts_live, live
from pages.ui.feeds import FEEDS

# With a folder called pages/ beside it, a fresh server would take a deep link for Streamlit's older kind of
# multipage app and never run app.py. Internal, hence the pinned version and a browser test.
PagesManager.uses_pages_directory = False


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Workers take a second, and a first recording a hundred times as long as the second: nobody should wait."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)  # else every reader's script thread has a pool of its own, for tiny tensors
    pool.SHARED = pool.Pool()
    try:
        pool.SHARED.warm()
        charts_live.library()
        from pages.ui import k_steps_views, lab_sections  # their caches look for the server that is just starting

        lab_sections.warm_up()
        k_steps_views.warm_up()
        explaining.warm_up()
        explaining_calls.warm_up()
        bench.warm_up()
        layers_tried.warm_up()
        # Streamlit collects garbage after every run. What is imported stays anyway, and walking all of it each time
        # would stop every thread of the server for a tenth of a second and more.
        gc.collect()
        gc.freeze()
        yield
    finally:
        pool.SHARED.close()


def run_now(request: Request) -> Response:
    """What a feed shows now; 404 for no such reader or feed (any more)."""
    token, owner = request.headers.get("x-reader", ""), request.headers.get("x-page", "")
    feed, here = FEEDS.get(request.query_params.get("feed", "")), pool.SHARED
    if feed is None or here is None or not here.knows(token):
        return Response(status_code=404)
    if not here.owns(token, owner):
        return JSONResponse({"moved": True})  # to another page of the same reader
    now = feed(here, token, owner, request.query_params)
    return JSONResponse({"none": True} if now is None else now, headers={"Cache-Control": "no-store"})


def plotly_js(_: Request) -> Response:
    """The chart library. Its version is in its name, so a browser may keep it for good."""
    keep = {"Content-Encoding": "gzip", "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(charts_live.library(), media_type="text/javascript", headers=keep)


app = st.App(
    "app.py",
    lifespan=lifespan,
    routes=[
        Route(f"{live.base()}/api/run", run_now, methods=["GET"]),
        Route(f"{live.base()}{charts_live.LIBRARY}", plotly_js, methods=["GET"]),
    ],
)
