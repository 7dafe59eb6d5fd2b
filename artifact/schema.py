"""Read `card.json` of the current or an older schema version; older cards are upgraded in memory."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from artifact.card import SCHEMA_VERSION, ArtifactError, ModelCard


def read_card(content: bytes, label: str) -> ModelCard:
    """Parse and validate a card. Raises ArtifactError with a message that starts with `label`."""
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
    """The card's schema version; 0 if it is missing, which validation then reports."""
    version = card.get("schema_version") if isinstance(card, dict) else None
    return version if type(version) is int else 0  # not isinstance: True is an int


def _from_version_1(card: dict[str, Any]) -> dict[str, Any]:
    """Upgrade a card of schema 1: one step, network named like the model, golden samples with one `prediction`."""
    upgraded = {"network": card.get("name"), "steps": 1} | card | {"schema_version": 2}
    if isinstance(card.get("golden"), list):
        upgraded["golden"] = [_golden_from_version_1(sample) for sample in card["golden"]]
    return upgraded


def _golden_from_version_1(sample: Any) -> Any:
    if not isinstance(sample, dict) or "prediction" not in sample:
        return sample  # not a sample of version 1: validation reports what is wrong
    rest = {key: value for key, value in sample.items() if key != "prediction"}
    return rest | {"forecast": [sample["prediction"]]}
