"""GET /score/{name}: live accuracy on all actual values sent since the service started, over all workers."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter

from service.inference.lifecycle import Lifecycle
from service.inference.score import no_scores
from service.inference.tally import Scores
from service.protocols.error_schemas import ANY_ROUTE, failures
from service.protocols.native.schemas import Accuracy
from service.protocols.native.scores import version_score
from service.protocols.paths import SCORE


def create_accuracy_router(lifecycle: Lifecycle, totals: Callable[[str], Awaitable[Mapping[int, Scores]]]) -> APIRouter:
    """Router with GET /score/{name}.

    totals: error sums by version of a model, over all workers; those of other workers are at most a second old.
    """
    router = APIRouter()

    @router.get(
        f"{SCORE}{{name}}", tags=["score"], summary="Live accuracy of a model", responses=failures(*ANY_ROUTE, 404)
    )
    async def get_accuracy(name: str) -> Accuracy:
        state = await lifecycle.loaded_state(name)
        found = await totals(name)
        live = state.live.card.version if state.live is not None else None
        order = sorted(state.kept, key=lambda version: (version == live, version), reverse=True)
        cards = [state.kept[version].card for version in order]
        scores = [version_score(card, no_scores(card) + found.get(card.version, Scores())) for card in cards]
        return Accuracy(model=name, version=live, scores=scores)

    return router
