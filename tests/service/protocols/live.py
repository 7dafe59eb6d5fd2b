"""A shipped version, loaded as the service loads it, for the codecs' tests."""

from artifact import verify
from service.inference.engine import LiteRTEngine
from service.inference.lifecycle import LiveModel
from tests.repository import SHIPPED


def live(name: str) -> LiveModel:
    artifact = verify(SHIPPED, name, 1)
    return LiveModel(artifact.card, LiteRTEngine(artifact))
