"""The default window of the combination recipe."""

SHORTEST = 8  # values: fewer show no trend
LONGER, MANY = 12, 150  # values of a window, and of a single series that has it
LONGEST = 200  # values: the weights of the fixed layers grow with their square
SEASONS = 4


def default_window(season: int, median_length: float, *, single: bool) -> int:
    """Values in a window, from the season and the median length of the series, or the length of a single one.

    Four seasons: 48 for months, 16 for quarters, 28 for days. Three or two, where more are over 200 values or over half
    of the median series. Without a season, or with one of which not even two fit, 8 values, or 12 of a single series of
    150 values or more; at most half of the median series or a quarter of a single one, whose windows are all that is
    learned from; and at least 3.
    """
    most = min(int(median_length // 2), LONGEST)
    for seasons in range(SEASONS, 1, -1):
        if season > 1 and seasons * season <= most:
            return seasons * season
    usual = LONGER if single and median_length >= MANY else SHORTEST
    return max(min(usual, most // 2 if single else most), 3)
