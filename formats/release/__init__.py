"""A release: the labels of many logs, frozen into one folder that can be cited, checked and trained on.

    release.json      name, version, licence, source, splits, logs, classes, provenance, sums of all files
    SHA256SUMS        the same sums and that of release.json, as `sha256sum --check` takes them
    labels/*.jsonl    everything that is said of a log (formats.jsonl): what Crosslabel reads again
    boxes.parquet     a row a box, with who or what made it, for training
    boxes.csv         the same
    schema.yaml       the project's classes, where it names some

The same labels give the same bytes.
"""

from formats.release.splits import Span, split
from formats.release.verify import Problem, verify
from formats.release.write import Member, Notice, write_release

__all__ = ["Member", "Notice", "Problem", "Span", "split", "verify", "write_release"]
