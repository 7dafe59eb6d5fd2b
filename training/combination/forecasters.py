"""Standard forecasting methods as matrices: exponential smoothing, Theta, damped trend, naive and seasonal naive.

With fixed smoothing parameters each of these forecasts is linear in the window, so that a layer of fixed weights
computes it. All of them follow the level: where a constant is added to the window, it is added to the forecast.
"""

from dataclasses import dataclass

import numpy as np

from training.values import Values

SMOOTHING = (0.1, 0.3, 0.5, 0.7, 0.9)
# Level, trend and damping parameters of Holt's method, from a stiff line to a quick and strongly damped one.
DAMPED = ((0.5, 0.2, 1.0), (0.5, 0.2, 0.9), (0.8, 0.4, 0.9), (0.9, 0.1, 0.98), (0.3, 0.1, 0.98), (0.8, 0.8, 0.8))

MOST_SEASONS = 4


@dataclass(frozen=True)
class Forecaster:
    """A forecasting method with fixed parameters, for windows of one length.

    forecast: (window, steps); a window times it is the forecast. errors: (window, n); a window times it is the errors
    that the method makes within the window, one step ahead. Methods that share their errors share the array.
    """

    forecast: Values
    errors: Values


def forecasters(window: int, ahead: Values, season: int) -> list[Forecaster]:
    """The methods that are combined. ahead: (steps,), rows from the window's last value to each step.

    With a season, each method is applied to the window as it is and to the seasonally adjusted window, by the profile
    of the last two seasons, of the last three and of the last four, as far as the window has them: a profile of more
    seasons has less noise, one of fewer is more up to date, and some series have no season.
    """
    found = []
    for seasons in _profiles(window, season):
        found += _adjusted(window, ahead, season, seasons)
    if season > 1 and window > season:
        found.append(_seasonal_naive(window, ahead, season))
        found.append(_naive(window, ahead))
    return found


def _profiles(window: int, season: int) -> list[int]:
    """How many seasons each seasonal profile is taken from; 0 for no adjustment."""
    if season == 1:
        return [0]
    return [0, *range(2, min(window // season, MOST_SEASONS) + 1)]


def _adjusted(window: int, ahead: Values, season: int, seasons: int) -> list[Forecaster]:
    inside, beyond = seasonal_profile(window, ahead, season, seasons)
    adjust = np.eye(window) - inside
    found = []
    for smoothing in SMOOTHING:
        level, errors = _simple_smoothing(window, smoothing)
        errors = adjust @ errors
        for share in (0.0, 0.5):  # the Theta method is simple smoothing with half of the linear trend as its drift
            drift = share * _slope(window)[:, None] * (ahead - 1 + (1 - (1 - smoothing) ** window) / smoothing)
            found.append(Forecaster(adjust @ (level[:, None] + drift) + beyond, errors))
    for parameters in DAMPED:
        forecast, errors = _damped_trend(window, ahead, *parameters)
        found.append(Forecaster(adjust @ forecast + beyond, adjust @ errors))
    return found


def seasonal_profile(window: int, ahead: Values, season: int, seasons: int) -> tuple[Values, Values]:
    """Classical decomposition: the window's seasonal part, (window, window), and that of the steps, (window, steps).

    The window less its centred moving average over one season is averaged by the place in the season, over the last
    `seasons` seasons, and made to sum to zero.
    """
    if not seasons:
        return np.zeros((window, window)), np.zeros((window, len(ahead)))
    average = np.ones(season) / season if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5] / season
    reach = len(average) // 2
    ends = np.arange(max(window - seasons * season, reach), window - reach)
    detrended = np.zeros((len(ends), window))
    for row, place in zip(detrended, ends, strict=True):
        row[place] = 1
        row[place - reach : place + reach + 1] -= average
    profile = np.array([detrended[(ends - window) % season == place].mean(axis=0) for place in range(season)])
    profile -= profile.mean(axis=0)
    steps = ahead.astype(int) - 1
    return profile[np.arange(-window, 0) % season].T, profile[steps % season].T


def _simple_smoothing(window: int, smoothing: float) -> tuple[Values, Values]:
    """The last level of simple exponential smoothing, (window,), and its errors, (window, window - 1)."""
    values = np.eye(window)
    level, errors = values[0], np.zeros((window, window - 1))
    for place in range(1, window):
        errors[:, place - 1] = values[place] - level
        level = level + smoothing * errors[:, place - 1]
    return level, errors


def _damped_trend(
    window: int, ahead: Values, smoothing: float, trend_smoothing: float, damping: float
) -> tuple[Values, Values]:
    """Holt's method with a damped trend (Gardner & McKenzie, 1985); it starts on the slope of the first half."""
    values = np.eye(window)
    half = max(window // 2, 1) if window > 1 else 0
    level, errors = values[0], np.zeros((window, window - 1))
    slope = (values[half] - values[0]) / max(half, 1)
    for place in range(1, window):
        expected = level + damping * slope
        errors[:, place - 1] = values[place] - expected
        level = expected + smoothing * errors[:, place - 1]
        slope = damping * slope + smoothing * trend_smoothing * errors[:, place - 1]
    distances = np.cumsum(damping ** np.arange(1, int(ahead[-1]) + 1))[ahead.astype(int) - 1]
    return level[:, None] + slope[:, None] * distances, errors


def _slope(window: int) -> Values:
    """The slope of the least squares line through the window."""
    places = np.arange(window) - (window - 1) / 2
    slope: Values = places / max(np.sum(places**2), 1.0)
    return slope


def _seasonal_naive(window: int, ahead: Values, season: int) -> Forecaster:
    values = np.eye(window)
    steps = ahead.astype(int) - 1
    return Forecaster(values[:, window - season + steps % season], values[:, season:] - values[:, :-season])


def _naive(window: int, ahead: Values) -> Forecaster:
    values = np.eye(window)
    return Forecaster(np.repeat(values[:, -1:], len(ahead), axis=1), values[:, 1:] - values[:, :-1])
