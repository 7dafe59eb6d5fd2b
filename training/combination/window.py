"""The default window of the combination recipe."""

SHORTEST = 8  # values: fewer show no trend
LONGEST = 200  # values: the weights of the fixed layers grow with their square
SEASONS = 4


def default_window(season: int, median_length: float) -> int:
    """Values in a window, from the season and the median length of the series.

    Four seasons: 48 for months, 16 for quarters, 28 for days. Three or two, where more are over 200 values or over half
    of the median series. Without a season, or with one of which not even two fit, 8 values; at most half of the median
    series, and at least 3.
    """
    most = min(int(median_length // 2), LONGEST)
    for seasons in range(SEASONS, 1, -1):
        if season > 1 and seasons * season <= most:
            return seasons * season
    return max(min(SHORTEST, most), 3)
