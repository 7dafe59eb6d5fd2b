"""A decider and a lifecycle that look at a repository only when a test calls them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from artifact import Artifact
from artifact.tester import LITERT_LOADER, SelfTester
from service.inference.decider import Decider
from service.inference.engine import Engine, LiteRTEngine
from service.inference.follow import OwnDecisions
from service.inference.lifecycle import MAX_LOADED, Lifecycle
from service.inference.store import Store

TESTER = SelfTester(LITERT_LOADER)  # one for all tests: starting its process takes time


class Deciding:
    """A service process without workers, which decides itself. `refresh` looks until nothing is left to test."""

    def __init__(
        self,
        models_dir: Path,
        store_dir: Path,
        keys: Sequence[bytes] = (),
        make_engine: Callable[[Artifact], Engine] = LiteRTEngine,
        tester: SelfTester = TESTER,
        required: Sequence[str] = (),
        max_loaded: int = MAX_LOADED,
    ) -> None:
        self.store = Store(store_dir)
        self.decider = Decider(models_dir, self.store, tester, keys)
        self.lifecycle = Lifecycle(make_engine, required, max_loaded)
        self.decider.settle()
        self.own = OwnDecisions(self.decider, self.store, 0.2)
        self.decider.begin(self.own.applying(self.lifecycle))

    def refresh(self) -> None:
        while self.decider.look() or self.decider.is_testing:
            pass

    def live(self, name: str = "lstm") -> int:
        return self.lifecycle.live(name).card.version
