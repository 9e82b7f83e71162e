"""The worked example of source 002, and the presets."""

from maml_core.graphs.programs import PRESETS, InnerStep

BLOG = {"x": 3.0, "c": 2, "alpha": 0.4}


def lesson(losses="quartic", inner_steps=1):
    return InnerStep.parse(PRESETS[losses].inner, PRESETS[losses].outer, inner_steps=inner_steps)
