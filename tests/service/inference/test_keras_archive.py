import io
import json
import zipfile
from typing import Any

import pytest

from artifact import KERAS_FILE, ArtifactError, verify
from service.inference.keras_archive import check_archive
from tests.repository import SHIPPED

GOOD = verify(SHIPPED, "lstm", 1).files[KERAS_FILE]


def rebuilt(**members: bytes | None) -> bytes:
    """The shipped `.keras` archive with some members replaced, added or left out."""
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        contents: dict[str, bytes | None] = {name: archive.read(name) for name in archive.namelist()}
    contents |= {name.replace("_json", ".json"): content for name, content in members.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            if content is not None:
                archive.writestr(name, content)
    return buffer.getvalue()


def config_with(layer: dict[str, Any]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        config = json.loads(archive.read("config.json"))
    config["config"]["layers"].append(layer)
    return rebuilt(config_json=json.dumps(config).encode())


@pytest.mark.parametrize("name", ["lstm", "mlp"])
def test_the_shipped_archives_are_taken(name: str) -> None:
    check_archive(verify(SHIPPED, name, 1).files[KERAS_FILE], "label")


REFUSED = {
    "bytes": (b"x" * 100, "is not a Keras archive"),
    "half an archive": (GOOD[:-30], "is not a Keras archive"),
    "a config that is not JSON": (rebuilt(config_json=b"{"), "is not a Keras archive"),
    "a config nested too deep": (rebuilt(config_json=b"[" * 200_000), "is not a Keras archive"),
    "another member": (rebuilt(**{"assets/run.py": b""}), "holds other members than"),
    "a path out of the archive": (rebuilt(**{"../../escape": b""}), "holds other members than"),
    "no weights": (rebuilt(**{"model.weights.h5": None}), "holds other members than"),
    "a bomb": (rebuilt(**{"model.weights.h5": bytes(17 * 2**20)}), "larger than 16777216 bytes"),
    "a lambda": (
        config_with({"module": "keras.layers", "class_name": "Lambda", "config": {}, "registered_name": None}),
        "holds a keras.layers.Lambda, which is not on the list",
    ),
    "a class of any module": (
        config_with({"module": "os", "class_name": "system", "config": {}, "registered_name": None}),
        "holds a os.system",
    ),
    "a registered class under a good name": (
        config_with({"module": "keras.layers", "class_name": "Dense", "config": {}, "registered_name": "evil>Dense"}),
        "holds a registered.Dense",
    ),
    "a function": (
        config_with({"class_name": "function", "config": "exec", "registered_name": "function", "module": "builtins"}),
        "holds a builtins.function",
    ),
    "a legacy layer without a module": (config_with({"class_name": "Dense", "config": {}}), "holds a None.Dense"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_an_archive_with_anything_else_is_refused_before_keras_opens_it(kind: str) -> None:
    content, reason = REFUSED[kind]

    with pytest.raises(ArtifactError) as caught:
        check_archive(content, "lstm/2/model.keras")
    assert str(caught.value).startswith("lstm/2/model.keras: ")
    assert reason in str(caught.value)
