"""`crosslabel warmup`: compiles every kernel once, so that no later command waits for it."""

from __future__ import annotations


def run() -> None:
    """Compile all numerical kernels now and keep them, so that the first real run does not wait."""
    from scripts.console import note

    note(f"compiled in {warm_up():.1f} s")


def warm_up() -> float:
    """Runs the main job on a tiny simulated drive; returns seconds taken."""
    import time

    from autolabel import propose
    from fusion.align import cloud_in_image, read_deskewed
    from fusion.evaluate import evaluate
    from fusion.simulate import SimulationConfig, simulate

    started_s = time.perf_counter()
    log, truth = simulate(SimulationConfig.tiny())
    propose(log, keyframes=truth)
    evaluate(truth, truth, log)
    for refs in log.sweeps.values():
        sweep = read_deskewed(log, refs[0])
        for images in log.images.values():
            cloud_in_image(log, sweep, images[0])
            images[0].read()
    return time.perf_counter() - started_s
