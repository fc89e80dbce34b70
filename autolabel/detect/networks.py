"""Networks that are run through onnxruntime, which is an extra that not everybody has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from calib.errors import CrosslabelError
from calib.types import F32


@dataclass(frozen=True, eq=False, slots=True)
class Network:
    """A network that is ready to run, on one thread, so that its answers do not depend on the machine."""

    path: Path
    session: Any

    @classmethod
    def open(cls, path: Path) -> Network:
        """Loads an .onnx file.

        Raises:
            CrosslabelError: onnxruntime is missing, or the file holds no network.
        """
        try:
            onnxruntime: Any = import_module("onnxruntime")
        except ImportError:
            wanted = "pip install 'crosslabel[networks]'"
            raise CrosslabelError(f"{path}: running a network needs onnxruntime: {wanted}") from None
        if not path.is_file():
            raise CrosslabelError(f"{path}: no such file")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors share no class of their own
            raise CrosslabelError(f"{path}: not a network that onnxruntime reads: {error}") from None
        return cls(path, session)

    def run(self, inputs: Mapping[str, np.ndarray], outputs: list[str] | None = None) -> list[F32]:
        """The named outputs, all of them unless named, as float32.

        Raises:
            CrosslabelError: the network takes other inputs or has no such outputs.
        """
        try:
            answers = self.session.run(outputs, dict(inputs))
        except Exception as error:
            raise CrosslabelError(f"{self.path}: {error}") from None
        return [np.asarray(answer, dtype=np.float32) for answer in answers]

    @property
    def inputs(self) -> list[str]:
        """Names of what it takes."""
        return [entry.name for entry in self.session.get_inputs()]


def read_description(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        CrosslabelError: it cannot be read, or is none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CrosslabelError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    except ValueError as error:
        raise CrosslabelError(f"{path}: {error}") from None
    if not isinstance(found, dict):
        raise CrosslabelError(f"{path}: not a JSON object")
    return found
