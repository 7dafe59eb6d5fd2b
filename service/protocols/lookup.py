"""The model and version that a path of an inference protocol names."""

import re
from typing import Annotated

from fastapi import Path

from service.inference.lifecycle import Lifecycle, LiveModel

Version = Annotated[str, Path(description="a kept version, instead of the live one")]


def find(lifecycle: Lifecycle, name: str, version: str | None = None) -> LiveModel:
    """The live version, or a kept one. Raises UnknownModel, UnknownVersion or NotReady."""
    if version is None:
        return lifecycle.live(name)
    # No version is 0, so text that is no number is as unknown as a version that is not kept.
    return lifecycle.live(name, int(version) if re.fullmatch("[0-9]{1,9}", version) else 0)
