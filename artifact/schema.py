"""Read `card.json` of any schema version up to the present one; older cards are upgraded in memory."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from artifact.card import SCHEMA_VERSION, ArtifactError, ModelCard


def read_card(content: bytes, label: str) -> ModelCard:
    """Parse and validate a card. Raises ArtifactError, its message beginning with `label`."""
    try:
        card = from_json(content)
    except ValueError as error:
        raise ArtifactError(f"{label}: the file: Invalid JSON: {error}") from None
    version = _schema_version(card)
    if version > SCHEMA_VERSION:
        raise ArtifactError(
            f"{label}: is a card of schema version {version}, newer than this code, which reads cards up to schema "
            f"version {SCHEMA_VERSION}; upgrade the code"
        )
    try:
        return ModelCard.model_validate(_from_version_1(card) if version == 1 else card)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ArtifactError(f"{label}: {where}: {first['msg']}") from None


def _schema_version(card: Any) -> int:
    """0 where there is none: validation then says so."""
    version = card.get("schema_version") if isinstance(card, dict) else None
    return version if type(version) is int else 0  # not isinstance: True is an int


def _from_version_1(card: dict[str, Any]) -> dict[str, Any]:
    """Version 1 had one step, networks named like their models, and `prediction`, one number, in golden samples."""
    upgraded = {"network": card.get("name"), "steps": 1} | card | {"schema_version": 2}
    if isinstance(card.get("golden"), list):
        upgraded["golden"] = [_golden_from_version_1(sample) for sample in card["golden"]]
    return upgraded


def _golden_from_version_1(sample: Any) -> Any:
    if not isinstance(sample, dict) or "prediction" not in sample:
        return sample  # not a sample of version 1 either: validation says what is wrong with it
    rest = {key: value for key, value in sample.items() if key != "prediction"}
    return rest | {"forecast": [sample["prediction"]]}
