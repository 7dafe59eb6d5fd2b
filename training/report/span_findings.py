"""Report section on the span experiment: where the LSTM wins or loses, why, and whether long spans favour it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from training.report.config import Budget
from training.report.cost import CostRun
from training.report.names import NAMES
from training.report.section import Section, number
from training.report.span import HELD_OUT, NOISE, TARGETS, TRAINED, SpanRun, window_of
from training.report.span_results import COMPARISONS, TITLES, Case, SpanResults, comparisons_won
from training.report.span_tables import (
    claim_table,
    cost_table,
    errors_table,
    long_table,
    loss_table,
    picture,
    verdict_table,
)
from training.report.verdicts import LEVEL, REASONS, Verdict


def span_section(
    runs: Sequence[SpanRun],
    results: Sequence[dict[str, Any]],
    cost_runs: Sequence[CostRun],
    costs: Sequence[dict[str, Any]],
) -> Section:
    """Make the section from `span_runs`, `cost_runs` and their results."""
    data = SpanResults(runs, results)
    prices = {(run.contender, run.window): cost for run, cost in zip(cost_runs, costs, strict=True)}
    return Section(
        title="Longer spans: is that where the LSTM performs best?",
        lead=_lead(data),
        findings=[_claim(data), *_losses(data), _wins(data), _price(data, prices)],
        notes=_notes(runs[0].budget),
        pictures=[picture(data)],
        tables=[
            claim_table(data),
            loss_table(data),
            *(errors_table(data, target) for target in TARGETS),
            cost_table(data, prices),
        ],
        details=[verdict_table(data), long_table(data)],
    )


def _lead(data: SpanResults) -> str:
    counts = Counter(verdict.outcome for verdict in data.verdicts.values())
    sums = [verdict.outcome for (_, target, _), verdict in data.verdicts.items() if target.endswith("sum")]
    return (
        f"In {len(data.cases)} cases the LSTM wins {counts['wins']}, is level with the best other model in "
        f"{counts['level']} and loses {counts['loses']}. Of the {len(sums)} cases whose target is a weighted sum it "
        f"wins {sums.count('wins')}."
    )


def _claim(data: SpanResults) -> str:
    """The article's claim, tested on series that need no extrapolation."""
    holds = [f"{target} on {TITLES[series]} against {NAMES[other]}" for target, other, series in comparisons_won(data)]
    return (
        f"The article claims that the LSTM performs best on long spans. That is true in {len(holds)} of "
        f"{len(COMPARISONS)} comparisons: at k = {data.spans[-1]} the LSTM's RMSE is lower than the other model's and "
        f"the mean's, and the ratio to the other model is lower than at k = {data.spans[0]}. They are: "
        f"{'; '.join(holds) or 'none'}."
    )


def _losses(data: SpanResults) -> list[str]:
    """One sentence for each reason that occurs."""
    return [
        _loss(reason, {case: verdict for case, verdict in data.verdicts.items() if verdict.why == why})
        for why, reason in REASONS.items()
        if any(verdict.why == why for verdict in data.verdicts.values())
    ]


def _loss(reason: str, cases: dict[Case, Verdict]) -> str:
    rivals = Counter(NAMES[verdict.rival] for verdict in cases.values()).most_common()
    ratios = [verdict.ratio for (_, target, _), verdict in cases.items() if target.startswith("noisy")]
    lost_to = ", ".join(f"{name} {n}" for name, n in rivals)
    factor = f" With noise, its RMSE is {number(float(np.median(ratios)))} times theirs (median)." if ratios else ""
    return f"It loses {len(cases)} because {reason} (best models: {lost_to}).{factor}"


def _wins(data: SpanResults) -> str:
    won = [(case, verdict) for case, verdict in data.verdicts.items() if verdict.outcome == "wins"]
    if not won:
        return "It wins no case."
    named = "; ".join(
        f"{target} on {TITLES[series]} at k = {span} ({number(verdict.ratio)} times {NAMES[verdict.rival]})"
        for (series, target, span), verdict in won
    )
    return f"It wins {len(won)}: {named}."


def _price(data: SpanResults, prices: dict[tuple[str, int], dict[str, Any]]) -> str:
    window = window_of(data.spans[-1])
    inference = prices["lstm", window]["microseconds"] / prices["tanh_mlp", window]["microseconds"]
    training = data.seconds("lstm", window) / data.seconds("tanh_mlp", window)
    return (
        f"With a window of {window}, the LSTM takes {number(training)} times as long as the MLP with tanh to train, "
        f"and {number(inference)} times as long to predict."
    )


def _notes(budget: Budget) -> list[str]:
    rows = (
        f"{TRAINED} training rows, then {HELD_OUT} held-out rows. The target depends on the last k values: it is a sum "
        "with weights that decrease linearly to 1/k, or the product of the newest and the oldest value, scaled to "
        f"standard deviation 1 on the training rows. Noisy targets have normal noise of {NOISE} added, which no model "
        "can predict; it is the noise floor. A window has k values, but at least five."
    )
    fairness = (
        f"Every network has the same budget: {budget.steps} steps of {budget.batch_size} rows, Adam with cosine decay "
        f"from {budget.learning_rate}, standardised inputs and targets. None is tuned; --steps changes the budget of "
        "all. All layers of the article's MLP are linear, so that it cannot be better than least squares; on a "
        "nonlinear target compare the LSTM with the MLP with tanh. Persistence predicts the target of the row before, "
        "which no other model sees."
    )
    judging = (
        f"The LSTM wins or loses a case if it does so with every seed, and by more than {LEVEL - 1:.0%} on average, "
        "against the best other model. Without noise, least squares has rounding errors only, so that ratios to it are "
        "large."
    )
    draws = "A seed sets the series, the noise, the weights and the order of the rows; all models get the same ones."
    return [rows, fairness, draws, judging]
