"""The ratios that docs/benchmarks.md claims: measured only with --benchmark-enable."""

from tests.benchmarks.ratios import comparisons, measure


def test_every_comparison_holds_its_limit():
    short = []
    for comparison in comparisons():
        ours_ms, theirs_ms = measure(comparison)
        ratio = theirs_ms / ours_ms
        print(f"{comparison.what}: {ratio:.1f} times as fast as {comparison.whose}")
        if ratio < comparison.at_least:
            short.append(f"{comparison.what} / {comparison.whose}: {ratio:.1f} < {comparison.at_least}")
    assert not short
