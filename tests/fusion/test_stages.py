"""Seconds by stage."""

import threading
import time
from contextvars import copy_context

import pytest

from fusion.stages import Stages, measured, stage


def _work(seconds: float) -> None:
    """Keeps the processor busy."""
    until_s = time.thread_time() + seconds
    while time.thread_time() < until_s:
        pass


def test_a_stage_is_booked_without_the_stages_that_it_calls():
    with measured() as stages:
        with stage("outer"):
            _work(0.02)
            with stage("inner"):
                _work(0.03)
            _work(0.01)
        _work(0.015)
    assert stages.spent_s == pytest.approx({"outer": 0.03, "inner": 0.03, "else": 0.015}, abs=0.004)


def test_all_that_passes_is_booked_once():
    begun_s = time.thread_time()
    with measured() as stages:
        for _ in range(3):
            with stage("a"), stage("b"), stage("a"):
                _work(0.003)
    spent_s = time.thread_time() - begun_s
    assert sum(stages.spent_s.values()) == pytest.approx(spent_s, abs=1e-3)
    assert stages.spent_s["a"] > 0.009 > stages.spent_s["b"]


def test_waiting_is_time_by_the_clock_on_the_wall_only():
    with measured() as stages, stage("wait"):
        time.sleep(0.03)
    assert stages.wall_s["wait"] >= 0.03 > 0.01 > stages.spent_s["wait"]


def test_who_listens_outside_hears_what_is_heard_inside():
    with measured() as outside, stage("all"):
        _work(0.01)
        with measured() as inside:
            _work(0.01)
            with stage("part"):
                _work(0.02)
    assert outside.spent_s["part"] == inside.spent_s["part"]
    assert outside.spent_s["all"] == pytest.approx(0.02, abs=0.004)
    assert inside.spent_s["else"] == pytest.approx(0.01, abs=0.004)


def test_threads_book_their_own_time():
    def call(name: str) -> None:
        with stage(name):
            _work(0.02)

    with measured() as stages, stage("main"):
        threads = [threading.Thread(target=copy_context().run, args=(call, name)) for name in ("x", "y")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert stages.spent_s["x"] == pytest.approx(0.02, abs=0.004)
    assert stages.spent_s["y"] == pytest.approx(0.02, abs=0.004)
    assert 0 <= stages.spent_s["main"] < 0.01


def test_an_error_within_a_stage_is_booked_and_passes():
    with measured() as stages:
        with pytest.raises(ValueError, match="no"), stage("fails"):
            _work(0.005)
            raise ValueError("no")
        with stage("next"):
            pass
    assert stages.spent_s["fails"] >= 0.005
    assert "next" in stages.spent_s


def test_nobody_listens():
    with stage("unheard"):
        pass
    with measured() as stages:
        pass
    assert list(stages.spent_s) == ["else"]
    assert isinstance(stages, Stages)


def test_a_stage_that_nobody_hears_costs_next_to_nothing():
    def many() -> float:
        begun_s = time.process_time()
        for _ in range(20_000):
            with stage("unheard"):
                pass
        return (time.process_time() - begun_s) / 20_000

    assert min(many() for _ in range(3)) < 5e-6
