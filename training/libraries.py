"""Versions of the libraries that a model is made with."""

import platform
from functools import cache
from importlib.metadata import version

LIBRARIES = ("tensorflow", "keras", "ai-edge-litert", "numpy")


@cache
def libraries() -> dict[str, str]:
    """Versions of Python and of the libraries that a model is made with."""
    return {"python": platform.python_version()} | {library: version(library) for library in LIBRARIES}
