"""Find the model and version named by a path of an inference protocol."""

import re
from typing import Annotated

from fastapi import Path

from service.inference.lifecycle import Lifecycle, LiveModel

Version = Annotated[str, Path(description="a kept version, instead of the live one")]


def find(lifecycle: Lifecycle, name: str, version: str | None = None) -> LiveModel:
    """Find the live version, or a kept one by number. Raises UnknownModel, UnknownVersion or NotReady."""
    if version is None:
        return lifecycle.live(name)
    # No version has the number 0: text that is not a number gives UnknownVersion too.
    return lifecycle.live(name, int(version) if re.fullmatch("[0-9]{1,9}", version) else 0)
