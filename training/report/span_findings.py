"""Section on the span experiment: where the LSTM wins and loses, why, and whether long spans favour it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from training.report.config import Budget
from training.report.cost import CostRun
from training.report.names import NAMES
from training.report.section import Section, number
from training.report.span import HELD_OUT, NOISE, TARGETS, TRAINED, SpanRun, window_of
from training.report.span_results import DUELS, TITLES, Case, SpanResults, duels_won
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
    """The experiment, from `span_runs`, `cost_runs` and their results."""
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
        f"Of {len(data.cases)} cases the LSTM wins {counts['wins']}, is level with the best of the others in "
        f"{counts['level']} and loses {counts['loses']}; of the {len(sums)} whose target is a weighted sum it wins "
        f"{sums.count('wins')}."
    )


def _claim(data: SpanResults) -> str:
    """The article's claim, tested where a span can be long and nothing has to be extrapolated."""
    holds = [f"{target} on {TITLES[series]} against {NAMES[other]}" for target, other, series in duels_won(data)]
    return (
        f"The claim that it performs best when relationships span longer holds in {len(holds)} of {len(DUELS)} duels, "
        f"that is, its RMSE over the other's is less at k = {data.spans[-1]} than at k = {data.spans[0]}, less than "
        f"1, and less than that of the mean: {'; '.join(holds) or 'nowhere'}."
    )


def _losses(data: SpanResults) -> list[str]:
    """One sentence for each reason that there is."""
    return [
        _loss(reason, {case: verdict for case, verdict in data.verdicts.items() if verdict.why == why})
        for why, reason in REASONS.items()
        if any(verdict.why == why for verdict in data.verdicts.values())
    ]


def _loss(reason: str, cases: dict[Case, Verdict]) -> str:
    rivals = Counter(NAMES[verdict.rival] for verdict in cases.values()).most_common()
    ratios = [verdict.ratio for (_, target, _), verdict in cases.items() if target.startswith("noisy")]
    times = f"where there is noise, by {number(float(np.median(ratios)))} times in the median" if ratios else "no noise"
    return f"It loses {len(cases)} because {reason} (to {', '.join(f'{name} {n}' for name, n in rivals)}; {times})."


def _wins(data: SpanResults) -> str:
    won = [(case, verdict) for case, verdict in data.verdicts.items() if verdict.outcome == "wins"]
    if not won:
        return "It wins nowhere."
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
        f"At a window of {window} the LSTM takes {number(training)} times the training time of the MLP with tanh, and "
        f"{number(inference)} times its time for a prediction."
    )


def _notes(budget: Budget) -> list[str]:
    rows = (
        f"{TRAINED} rows to train on, {HELD_OUT} after them held out. The target is made of the last k values: a sum "
        "with weights that fall in a straight line to 1/k, or the product of the newest and the oldest; brought to "
        f"standard deviation 1 on the trained rows. Noisy: normal noise of {NOISE} is added, which nobody can foresee "
        "and which is therefore the floor. Windows hold k values, or five where k is less."
    )
    fairness = (
        f"Every network has the same budget, {budget.steps} steps of {budget.batch_size} rows, Adam on a cosine from "
        f"{budget.learning_rate}, standardised inputs and targets; none is tuned, and --steps changes it for all. The "
        "article's MLP is linear in all its layers and so can be no better than least squares; the one with tanh is "
        "what the LSTM has to be compared with on a target that is not linear. Persistence is the target one row "
        "before, which no other contender sees."
    )
    judging = (
        f"Wins or loses: with every seed, and by over {LEVEL - 1:.0%} on average, against the best of the others. "
        "Where there is no noise least squares errs by rounding alone, so that ratios to it are large."
    )
    draws = (
        "A seed draws the series, the noise, the weights and the order of the rows; all contenders get the same draw."
    )
    return [rows, fairness, draws, judging]
