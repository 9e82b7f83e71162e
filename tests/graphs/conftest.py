"""What most tests of the graphs look at."""

import pytest

from maml_core.graphs.comparing import compare
from maml_core.graphs.programs import PRESETS
from tests.graphs.examples import BLOG, lesson


@pytest.fixture
def blog():
    return compare(lesson().program, BLOG)


@pytest.fixture(params=[(name, steps) for name in PRESETS for steps in (1, 2, 5)], ids=lambda p: f"{p[0]}-{p[1]}")
def any_lesson(request):
    return lesson(*request.param)
