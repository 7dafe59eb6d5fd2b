"""Errors of a model on the held-out rows, beside those of two baselines."""

import numpy as np

from artifact import Batch, Evaluation, Metrics
from training.data.rows import Rows
from training.least_squares import least_squares
from training.values import Values

TIE = 0.02  # of the RMSE: less is not worth the choice between two models; the report's advice has the same limit


def evaluate(predictions: Values, trained: Rows, held_out: Rows) -> Evaluation:
    """Metrics of `predictions`, (rows,), for the held-out rows, beside those of the two baselines.

    persistence: the target's last known value. linear: least squares on the window, fitted on the trained rows.
    Both are rounded to float32, the precision that a model answers in, so that none wins by digits alone.
    """
    naive_error = float(np.mean(np.abs(trained.targets - trained.persistence)))
    model = metrics(predictions, held_out.targets, naive_error)
    forecasts = {"persistence": held_out.persistence, "linear": predict_linear(trained, held_out.windows)}
    baselines = {
        name: metrics(forecast.astype(np.float32), held_out.targets, naive_error)
        for name, forecast in forecasts.items()
    }
    resolution = float(np.finfo(np.float32).eps * np.abs(held_out.targets).max())
    loses_to = [name for name, baseline in baselines.items() if loses(model.rmse, baseline.rmse, resolution)]
    return Evaluation(held_out_rows=len(held_out.targets), model=model, loses_to=loses_to, **baselines)


def loses(rmse: float, other: float, resolution: float) -> bool:
    """Neither a difference under 2 % nor one that float32 cannot resolve at the targets' size loses anything."""
    return rmse > (1 + TIE) * other and rmse - other > resolution


def metrics(predictions: Values | Batch, targets: Values, naive_error: float) -> Metrics:
    """MAE, RMSE, largest absolute error, R² and MASE.

    MASE is the MAE over `naive_error`, persistence's MAE on the trained rows (Hyndman & Koehler, 2006, "Another
    look at measures of forecast accuracy"). R² and MASE are None where they would divide by zero.
    """
    errors = predictions - targets
    mae = float(np.mean(np.abs(errors)))
    variation = float(np.sum((targets - targets.mean()) ** 2))
    return Metrics(
        mae=mae,
        rmse=float(np.sqrt(np.mean(errors**2))),
        max_abs_error=float(np.abs(errors).max()),
        r2=1 - float(np.sum(errors**2)) / variation if variation else None,
        mase=mae / naive_error if naive_error else None,
    )


def predict_linear(trained: Rows, windows: Values) -> Values:
    """Least squares with an intercept on the window, (rows, window) → (rows,)."""
    coefficients, intercept = least_squares(trained.windows, trained.targets)
    predictions: Values = windows @ coefficients + intercept
    return predictions
