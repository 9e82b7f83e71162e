"""The two routes of the server: numbers for the reader who knows the token, and the chart library."""

import gzip
import importlib
import json
from pathlib import Path

import plotly
import pytest
from starlette.requests import Request

from maml_core.train import pool as pools
from maml_core.train.config import Config
from maml_core.train.limits import Limits
from tests.train import inline


@pytest.fixture
def serve(monkeypatch):
    pool = pools.Pool(Limits(workers=1), hire=inline.hire)
    monkeypatch.setattr(pools, "SHARED", pool)
    yield importlib.import_module("serve")
    pool.close()


def asked(serve, feed="lab", query="", **headers):
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/run",
        "query_string": f"feed={feed}{query}".encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    return serve.run_now(Request(scope))


@pytest.fixture
def token(serve):
    token = pools.SHARED.admit("page")
    pools.SHARED.start(token, "lab", Config(meta_batch=2, shots=3, hidden=(4,), iterations=5))
    return token


def test_the_owner_gets_the_run(serve, token):
    answer = asked(serve, x_reader=token, x_page="page")
    now = json.loads(answer.body)
    assert answer.headers["cache-control"] == "no-store"
    assert now["id"] == pools.SHARED.snapshot(token, "lab").id
    assert len(now["traces"]["loss"]) == 2
    assert token not in answer.body.decode()


def test_nobody_else_gets_anything(serve, token):
    assert asked(serve).status_code == 404
    assert asked(serve, x_reader="guess", x_page="page").status_code == 404
    assert asked(serve, feed="other", x_reader=token, x_page="page").status_code == 404
    assert json.loads(asked(serve, x_reader=token, x_page="another").body) == {"moved": True}
    pools.SHARED.reset(token, "lab")
    assert json.loads(asked(serve, x_reader=token, x_page="page").body) == {"none": True}


@pytest.mark.parametrize("query", ["&steps=3", "&steps=-1", "&steps=9999", "&steps=x", "&steps=%F0%9F"])
def test_whatever_is_asked_beside_is_answered(serve, token, query):
    now = json.loads(asked(serve, query=query, x_reader=token, x_page="page").body)
    assert len(now["traces"]["adaptation"]) == 16


def test_the_chart_library_is_the_installed_one(serve):
    answer = serve.plotly_js(None)
    installed = (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()
    assert gzip.decompress(answer.body) == installed
    assert "immutable" in answer.headers["cache-control"]
