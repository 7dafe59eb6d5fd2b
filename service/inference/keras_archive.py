"""Allow-list for `.keras` files, checked before Keras opens one: Keras builds every class that a file names."""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from artifact import ArtifactError

MEMBERS = {"config.json", "metadata.json", "model.weights.h5"}
MAX_MEMBER_BYTES = 16 * 2**20  # bounds what an archive can inflate to
LAYERS = (
    *(
        "InputLayer",
        "Normalization",
        "LSTM",
        "GRU",
        "Dense",
        "Rescaling",
        "Add",
        "Average",
        "Concatenate",
        "Cropping1D",
    ),
    *("Dot", "GlobalAveragePooling1D", "Identity", "Multiply", "Reshape", "Softmax", "Subtract"),
)
OPERATIONS = ("Absolute", "Clip", "Divide", "Exp", "Log", "Maximum", "Min")  # of one or two tensors, without state
CLASSES = {
    ("keras", "Sequential"),
    ("keras", "DTypePolicy"),
    ("keras.src.models.functional", "Functional"),  # a graph of layers
    (None, "__keras_tensor__"),  # an edge of the graph
    *(("keras.layers", name) for name in LAYERS),
    *(("keras.src.ops.numpy", name) for name in OPERATIONS),
    *(("keras.initializers", name) for name in ("GlorotUniform", "Orthogonal", "RandomNormal", "Zeros")),
}


def check_archive(content: bytes, label: str) -> None:
    """Raise ArtifactError, its message beginning with `label`, if an archive holds anything that is not listed."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_members(archive, label)
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, zlib.error, ValueError, RecursionError, NotImplementedError, EOFError, OSError):
        raise ArtifactError(f"{label}: is not a Keras archive") from None
    for found in _classes(config):
        if found not in CLASSES:
            raise ArtifactError(f"{label}: holds a {'.'.join(map(str, found))}, which is not on the list")


def _check_members(archive: zipfile.ZipFile, label: str) -> None:
    members = archive.infolist()
    if sorted(member.filename for member in members) != sorted(MEMBERS):
        raise ArtifactError(f"{label}: holds other members than {', '.join(sorted(MEMBERS))}")
    if any(member.file_size > MAX_MEMBER_BYTES for member in members):
        raise ArtifactError(f"{label}: holds a member larger than {MAX_MEMBER_BYTES} bytes")


def _classes(node: Any) -> Iterator[tuple[Any, Any]]:
    """Module and name of every object that Keras would build from a config; registered names are never allowed."""
    if isinstance(node, dict):
        if "class_name" in node or "module" in node:
            own = node.get("registered_name") in (None, node.get("class_name"))
            yield (node.get("module") if own else "registered", str(node.get("class_name")))
        for child in node.values():
            yield from _classes(child)
    elif isinstance(node, list):
        for child in node:
            yield from _classes(child)
