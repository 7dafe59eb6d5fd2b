"""Two public series with published results, to check the report against."""

from importlib.util import find_spec
from pathlib import Path

from training.report.config import ReportConfig
from training.report.rolling import RollingRun, Source, origins, rolling_runs

SHAMPOO_PERSISTENCE = 136.761
SHAMPOO_MONTHS = 12
SUNSPOT_LAGS = 10  # about one cycle


def _file(package: str, path: str) -> Path | None:
    """A file of an installed package, found without importing it, which can take longer than the whole report."""
    spec = find_spec(package)
    file = Path(spec.origin).parent / path if spec and spec.origin else None
    return file if file and file.exists() else None


def shampoo_runs(config: ReportConfig) -> list[RollingRun]:
    """Shampoo sales, 36 months, walk-forward: refitted for each of the last twelve. No runs without sktime.

    Source: the data are from Makridakis, Wheelwright & Hyndman, "Forecasting: methods and applications" (1998); the
    set-up and the RMSE of persistence, 136.761, are from public tutorials on LSTMs.
    """
    file = _file("sktime", "datasets/data/ShampooSales/ShampooSales.csv")
    if file is None:
        return []
    source = Source(str(file), "Sales", None, 1, config.resolved_window)
    rows = len(source.rows().targets)
    return rolling_runs(source, range(rows - SHAMPOO_MONTHS, rows + 1), config.all_seeds, config.budget)


def sunspot_runs(config: ReportConfig) -> list[RollingRun]:
    """Yearly sunspots, 1700 to 2008, with statsmodels' AutoReg as well. No runs without statsmodels."""
    file = _file("statsmodels", "datasets/sunspots/sunspots.csv")
    if file is None:
        return []
    source = Source(str(file), "SUNACTIVITY", None, 1, SUNSPOT_LAGS)
    edges = origins(len(source.rows().targets))
    return rolling_runs(source, edges, config.all_seeds, config.budget, autoreg=True)
