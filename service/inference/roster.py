"""The models of the repository: those that are watched, and the names that were never asked for.

A small repository is watched as a whole. In a larger one a model is watched from the first request for it on, and at
each look only the models whose folder has changed are read, and a few of the others: files may change in place.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from artifact.choice import Version
from artifact.pins import read_pin
from artifact.repository import Unreadable, list_versions
from service.inference.decision import SMALL, WAITING, ModelDecision
from service.inference.folders import Folders
from service.inference.watched import Watched

logger = logging.getLogger("lagcast")

CLOSELY = 50  # models whose files are all looked at each time
PART = 10  # of more models than that


class Roster:
    """The names in a repository, and the state of the watched ones.

    remembered: what was live in an earlier process. restore: checks that such a version can still be served.
    touched: names that are to be decided again. problem: why the repository cannot be read.
    """

    def __init__(
        self,
        models_dir: Path,
        keys: Sequence[bytes],
        required: Collection[str],
        remembered: Mapping[str, ModelDecision],
        restore: Callable[[str, Version], Version | None],
    ) -> None:
        self._models_dir = models_dir
        self._keys = keys
        self._required = required
        self._restore = restore
        self._folders = Folders(models_dir)
        self._found: frozenset[str] | None = None
        self._restless: set[str] = set()
        self._next: list[str] = []
        self.models: dict[str, Watched] = {}
        self.waiting: dict[str, ModelDecision] = dict(remembered)
        self.touched: set[str] = set(remembered)
        self.problem: str | None = None

    def read(self) -> list[Watched]:
        """Look at the repository once. Returns the models to examine, most of which are unchanged."""
        try:
            found = self._folders.names()
        except OSError as error:
            self._note_problem(error.strerror or str(error))
            self._arrange(frozenset())
            return []  # its content is unknown now, so nothing changes
        self._note_problem(None)
        if found is not self._found:
            self._arrange(found)
            self._found = found
        due = self._due()
        for model in due:
            self.read_model(model)
        return due

    def _note_problem(self, problem: str | None) -> None:
        if problem != self.problem:
            if problem is not None:
                logger.warning("cannot read the model repository %s: %s", self._models_dir, problem)
            self.touched |= self.models.keys()
        self.problem = problem

    def _arrange(self, found: frozenset[str]) -> None:
        """Watch new names in a small repository, and let them wait in a larger one; forget those that are gone."""
        names = found | self.waiting.keys()
        watch = names if len(names | self.models.keys()) <= SMALL else names.intersection(self._required)
        for name in names - self.models.keys():
            if name in watch:
                self.open(name)
            elif name not in self.waiting:
                self.waiting[name] = WAITING
                self.touched.add(name)
        if self.problem is None:
            self._forget(found)

    def _forget(self, found: frozenset[str]) -> None:
        gone = [name for name, model in self.waiting.items() if name not in found and model.live is None]
        for name in gone:
            del self.waiting[name]
        empty = [name for name, model in self.models.items() if name not in found and model.is_empty]
        for name in empty:
            del self.models[name]
            self._folders.forget(name)
        self.touched.update(gone, empty)

    def open(self, name: str) -> Watched | None:
        """Watch a model from now on; None if there is none of that name. What is known is not read here."""
        model = self.models.get(name)
        if model is not None:
            return model
        remembered = self.waiting.pop(name, None)
        model = Watched(name)
        if remembered is not None and remembered.live is not None:
            model.current, model.wish = self._restore(name, remembered.live), remembered.wish
        if remembered is None and (self._found is None or name not in self._found):
            self.read_model(model)
            if not model.versions:
                return None
        self.models[name] = model
        self._restless.add(name)
        self.touched.add(name)
        return model

    def _due(self) -> list[Watched]:
        """The models to read now: all of a few; else those that changed or are unsettled, and a part of the rest."""
        if len(self.models) <= CLOSELY:
            return list(self.models.values())
        if not self._next:
            self._next = list(self.models)
        part = [self._next.pop() for _ in range(min(PART, len(self._next)))]
        names = {*self._folders.changed(self.models), *self._restless, *part}
        return [self.models[name] for name in names if name in self.models]

    def note(self, models: Collection[Watched]) -> None:
        """Note which of the models that were examined have to be looked at again next time."""
        for model in models:
            (self._restless.discard if model.is_quiet() else self._restless.add)(model.name)
            self.touched.add(model.name)

    def contents(self) -> set[str]:
        """Checksums of the versions that were tested good, those that are not decided on yet too."""
        return {sha256 for model in self.models.values() for sha256 in model.good().values()}

    def read_model(self, model: Watched) -> None:
        """Read a model's versions and its pin."""
        try:
            model.versions = list_versions(self._models_dir, model.name)
            model.problem = None
        except Unreadable as error:
            model.problem = str(error)
            return
        if not model.versions and not self._models_dir.is_dir():
            model.problem = f"{model.name}: the model repository is not there"
            return
        try:
            model.pin = read_pin(self._models_dir, model.name, self._keys)
        except Unreadable:
            if model.versions:
                return  # the folder has just been removed: keep the state until the next look
            model.pin = None
        for gone in model.entries.keys() - set(model.versions):
            del model.entries[gone]

    def decide(self, name: str) -> ModelDecision | None:
        """The decision about a model as far as it is known; None if there is no such model."""
        model = self.models.get(name)
        if model is None:
            return self.waiting.get(name)
        return None if model.is_empty else model.decide(is_away=self.problem is not None)
