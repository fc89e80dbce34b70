"""Files that are read with suspicion and written whole or not at all."""

from __future__ import annotations

import gzip
import json
import math
import shutil
import uuid
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, TypeVar

from formats.errors import FormatError

if TYPE_CHECKING:
    from pydantic import BaseModel

Model = TypeVar("Model", bound="BaseModel")


def read_bytes(path: Path, most_bytes: int = -1) -> bytes:
    """A file, or no more than its first bytes.

    Raises:
        FormatError: it cannot be read.
    """
    try:
        with path.open("rb", buffering=0) as stream:
            return stream.read(most_bytes)
    except FileNotFoundError:
        raise FormatError(path, "", "no such file") from None
    except OSError as error:
        raise FormatError(path, "", f"cannot be read: {error.strerror}") from None


def read_text(path: Path) -> str:
    """A whole text file in UTF-8.

    Raises:
        FormatError: it cannot be read, or is no text.
    """
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(path, f"byte {error.start}", "not a text in UTF-8") from None


def read_gzip(path: Path, most_bytes: int) -> bytes:
    """A gzipped file, unpacked.

    Raises:
        FormatError: it cannot be read, is damaged or cut short, or holds more than `most_bytes`.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        with gzip.open(path) as stream:
            while chunk := stream.read(1 << 20):
                size += len(chunk)
                if size > most_bytes:
                    raise FormatError(path, "", f"unpacks to more than {most_bytes >> 20} MiB")
                chunks.append(chunk)
    except FileNotFoundError:
        raise FormatError(path, "", "no such file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(path, f"byte {size} unpacked", f"damaged gzip: {error}") from None
    except OSError as error:
        raise FormatError(path, "", f"cannot be read: {error.strerror or error}") from None
    return b"".join(chunks)


def read_json(path: Path) -> Any:
    """A JSON file in which every number is finite.

    Raises:
        FormatError: it cannot be read, is no JSON, or holds NaN or infinity; says where.
    """
    suspicious = False

    def number(text: str) -> float:
        nonlocal suspicious
        value = float(text)
        suspicious |= not math.isfinite(value)
        return value

    try:
        content = json.loads(read_text(path), parse_float=number, parse_constant=number)
        if suspicious:
            raise FormatError(path, _place_of_non_finite(content), "a finite number is needed here")
        return content
    except json.JSONDecodeError as error:
        raise FormatError(path, f"line {error.lineno} column {error.colno}", error.msg) from None
    except (RecursionError, ValueError) as error:
        raise FormatError(path, "", f"not JSON that can be read: {error}") from None


def read_settings(path: Path, model: type[Model]) -> Model:
    """Settings from a YAML file; an empty one says nothing, and leaves the defaults.

    Raises:
        FormatError: it cannot be read, or says what is not known; says where.
    """
    import yaml
    from pydantic import ValidationError

    try:
        return model.model_validate(_plain_yaml(path.read_text(encoding="utf-8")) or {})
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}" if mark else ""
        raise FormatError(path, where, f"cannot be read: {error.problem}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FormatError(path, "", f"cannot be read: {str(error).splitlines()[0]}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise FormatError(path, ".".join(str(part) for part in first["loc"]), first["msg"]) from None


def _plain_yaml(text: str) -> Any:
    """Its content; `on`, `off`, `yes` and `no` are words that can be names, as in YAML 1.2."""
    import re

    import yaml

    class Loader(yaml.SafeLoader):
        """Takes true and false alone for truth values."""

    truth = "tag:yaml.org,2002:bool"
    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in some if tag != truth]
        for first, some in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_implicit_resolver(truth, re.compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
    return yaml.load(text, Loader)


def _place_of_non_finite(content: Any) -> str:
    """The keys that lead to the first NaN or infinity, such as `7.position.x`."""
    todo: list[tuple[str, Any]] = [("", content)]
    while todo:
        place, value = todo.pop()
        if isinstance(value, float) and not math.isfinite(value):
            return place.lstrip(".")
        children: Iterable[tuple[Any, Any]] = ()
        if isinstance(value, dict):
            children = value.items()
        elif isinstance(value, list):
            children = enumerate(value)
        todo += reversed([(f"{place}.{key}", child) for key, child in children])
    return ""


def inside(root: Path, relative: str, named_in: Path, where: str = "") -> Path:
    """A path that a file names, which must stay within `root`.

    Raises:
        FormatError: it is empty, absolute or climbs out; says the file and place that name it.
    """
    posix, windows = PurePosixPath(relative), PureWindowsPath(relative)
    absolute = posix.is_absolute() or windows.is_absolute() or windows.drive != ""
    if not relative or "\0" in relative or absolute or ".." in posix.parts or ".." in windows.parts:
        raise FormatError(named_in, where, f"names the path {relative!r}, which leads out of the data set")
    return root / relative


def write_text(path: Path, text: str) -> None:
    """Writes a text file in UTF-8, whole or not at all; folders above it are made.

    Raises:
        FormatError: it cannot be written.
    """
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        raise FormatError(path, "", f"not a text that can be written: {error.reason}") from None
    write_bytes(path, content)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file, whole or not at all; folders above it are made.

    Raises:
        FormatError: it cannot be written.
    """
    with replaced_file(path) as part:
        part.write_bytes(content)


def write_json(path: Path, value: Any, indent: int | None = None) -> None:
    """Writes JSON, whole or not at all; NaN and infinity are refused.

    Raises:
        FormatError: it cannot be written.
    """
    try:
        text = json.dumps(value, indent=indent, allow_nan=False, ensure_ascii=False)
    except ValueError as error:
        raise FormatError(path, "", f"cannot be written as JSON: {error}") from None
    write_text(path, text + "\n")


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Gives a path beside a file; what is written there takes the file's place at the end.

    After an error the file is as it was.

    Raises:
        FormatError: it cannot be written.
    """
    part = _beside(path)
    try:
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield part
            part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Gives a new folder beside a path; it takes the path's place at the end, and is gone after an error.

    Raises:
        FormatError: something stands at the path already, or it cannot be written.
    """
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise FormatError(path, "", "is there already; name a folder that is new or empty")
    part = _beside(path)
    try:
        with _writing(path):
            part.mkdir(parents=True)
            yield part
            if path.is_dir():
                path.rmdir()
            part.rename(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """Gives a new folder beside one that is there; it takes its place at the end.

    After an error the folder is as it was, and errors about the new one name the old.

    Raises:
        FormatError: it cannot be written.
    """
    part, old = _beside(path), _beside(path)
    try:
        with _writing(path), named_as(part, path):
            part.mkdir()
            yield part
            path.rename(old)
            try:
                part.rename(path)
            except OSError:
                old.rename(path)
                raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def named_as(part: Path, path: Path) -> Iterator[None]:
    """Errors about what lies in a folder name another one, whose place it is to take."""
    try:
        yield
    except FormatError as error:
        if not Path(error.path).is_relative_to(part):
            raise
        inner = Path(error.path).relative_to(part)
        raise FormatError(path / inner, error.where, error.message) from None


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FormatError(path, "", f"cannot be written: {error.strerror or error}") from error
