"""A repository of thousands of models, each with an answer of its own, made of the two shipped networks in seconds.

A constant in each network's LiteRT file is replaced, and the golden samples on the card are those of the result. The
`.keras` files stay as they are: the service does not run them.
"""

import hashlib
import json
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from artifact import CARD_FILE, KERAS_FILE, LITERT_FILE

CONSTANTS = (1e-3, 1e3)  # magnitudes of the numbers in a file that may be a weight
STEP = 1e-4  # relative difference between the constants of two models
VISIBLE = 1e-5  # least difference between their forecasts
VECTOR = 2  # axes of an input whose rows are single values, which JSON requests have without brackets


class Template(NamedTuple):
    """A published version to make others of. offset: of the replaced constant in the LiteRT file, in bytes."""

    folder: Path
    card: dict[str, Any]
    network: bytes
    offset: int

    @property
    def windows(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Windows of the golden samples, (rows, window)."""
        return np.array([sample["window"] for sample in self.card["golden"]], np.float32)

    def altered(self, number: int) -> bytes:
        """The network with its constant replaced, by another one for each number."""
        value = struct.unpack_from("<f", self.network, self.offset)[0]
        changed = struct.pack("<f", value * (1 + STEP * number))
        return self.network[: self.offset] + changed + self.network[self.offset + 4 :]


class Model(NamedTuple):
    """A model of the repository: its name, a request to it, and its answer."""

    name: str
    content: dict[str, Any]
    prediction: float


def template(folder: Path) -> Template:
    """Read a published version. Raises ValueError if no constant in its network changes its forecasts smoothly."""
    card, network = json.loads((folder / CARD_FILE).read_text()), (folder / LITERT_FILE).read_bytes()
    windows = Template(folder, card, network, 0).windows
    before = run(network, windows)
    for offset in range(len(network) - 4 & ~3, 0, -4):  # the scaling of the target is near the end
        found = Template(folder, card, network, offset)
        if not CONSTANTS[0] < abs(struct.unpack_from("<f", network, offset)[0]) < CONSTANTS[1]:
            continue
        try:
            after = [run(found.altered(number), windows) for number in (1, 2)]
        except (ValueError, RuntimeError):
            continue
        steps = np.abs(np.diff([before, *after], axis=0)).max(axis=(1, 2))
        if all(np.isfinite(steps)) and steps.min() > VISIBLE and steps.max() < 2 * steps.min():
            return found
    raise ValueError(f"{folder}: no constant of the network changes its forecasts")


def run(network: bytes, windows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Forecasts of a LiteRT file, (rows, window) → (rows, steps)."""
    interpreter = Interpreter(model_content=network, num_threads=1)
    source = interpreter.get_input_details()[0]
    shape = [len(windows), *(int(size) for size in source["shape_signature"][1:])]
    interpreter.resize_tensor_input(source["index"], shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], windows.reshape(shape))
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


def describe(made_of: Template, name: str, number: int) -> tuple[Model, bytes, list[dict[str, Any]]]:
    """A model, its network, and its golden samples."""
    network = made_of.altered(number)
    golden = [
        {"window": sample["window"], "forecast": [float(value) for value in row]}
        for sample, row in zip(made_of.card["golden"], run(network, made_of.windows), strict=True)
    ]
    window, key = golden[0]["window"], made_of.card["input"]["name"]
    single = len(window) == 1 and len(made_of.card["input"]["shape"]) == VECTOR
    return Model(name, {key: window[0] if single else window}, golden[0]["forecast"][0]), network, golden


def write(models_dir: Path, made_of: Template, name: str, number: int, version: int = 1) -> Model:
    """Publish a model; its folder appears whole. number: which of the possible constants it has."""
    model, network, golden = describe(made_of, name, number)
    files = made_of.card["files"] | {LITERT_FILE: {"sha256": hashlib.sha256(network).hexdigest(), "size": len(network)}}
    card = made_of.card | {"name": name, "version": version, "golden": golden, "files": files}
    folder = models_dir / name / str(version)
    staging = folder.with_name(f".{version}")
    staging.mkdir(parents=True)
    (staging / CARD_FILE).write_text(json.dumps(card))
    (staging / LITERT_FILE).write_bytes(network)
    os.link(made_of.folder / KERAS_FILE, staging / KERAS_FILE)
    staging.rename(folder)
    return model


class Repository:
    """A repository in `folder`, of models that are made of the versions lstm/1 and mlp/1 of the repository `source`."""

    def __init__(self, folder: Path, source: Path) -> None:
        self.folder = folder
        self._templates = {}
        for kind in ("lstm", "mlp"):
            copy = folder / ".templates" / kind
            shutil.copytree(source / kind / "1", copy)
            self._templates[kind] = template(copy)

    def model(self, name: str, kind: str, number: int) -> Model:
        """A model as `write` would publish it."""
        return describe(self._templates[kind], name, number)[0]

    def write(self, name: str, kind: str, number: int, version: int = 1) -> Model:
        """Publish a model; see `write`."""
        return write(self.folder, self._templates[kind], name, number, version)

    def pairs(self, count: int) -> Iterator[Model]:
        """Publish series-00000-lstm, series-00000-mlp and so on."""
        for number in range(count):
            for kind in self._templates:
                yield self.write(f"series-{number:05}-{kind}", kind, number)
