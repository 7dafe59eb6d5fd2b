"""A shipped version, loaded in the same way as by the service, for tests of the codecs."""

from artifact import verify
from service.inference.engine import LiteRTEngine
from service.inference.loader import LiveModel
from tests.repository import SHIPPED


def live(name: str) -> LiveModel:
    artifact = verify(SHIPPED, name, 1)
    return LiveModel(artifact.card, LiteRTEngine(artifact))
