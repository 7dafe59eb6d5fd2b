from collections.abc import Iterator

import pytest

from service.settings import Settings
from tests.repository import SHIPPED
from tests.service.connection.pair import REFUSALS, Pair


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with Pair(Settings(models_dir=SHIPPED, **REFUSALS)) as pair:
        yield pair
