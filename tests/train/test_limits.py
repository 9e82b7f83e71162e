"""Ceilings come from the environment, and nonsense there is refused by name."""

import pytest

from maml_core.train.limits import Limits, from_environment


def test_without_an_environment_there_are_defaults(monkeypatch):
    monkeypatch.delenv("INNER_LOOP_WORKERS", raising=False)
    assert from_environment() == Limits()
    assert Limits().workers >= 1


def test_the_environment_decides(monkeypatch):
    monkeypatch.setenv("INNER_LOOP_WORKERS", "3")
    monkeypatch.setenv("INNER_LOOP_GRACE", "2.5")
    assert (from_environment().workers, from_environment().grace) == (3, 2.5)


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", ""])
def test_nonsense_is_refused_by_name(monkeypatch, text):
    monkeypatch.setenv("INNER_LOOP_WORKERS", text)
    with pytest.raises(ValueError, match="INNER_LOOP_WORKERS must be a positive whole number"):
        from_environment()


def test_every_limit_is_in_the_table():
    from dataclasses import fields

    from maml_core.train import limits

    for spec in fields(Limits):
        assert f"INNER_LOOP_{spec.name.upper()} |" in limits.__doc__
