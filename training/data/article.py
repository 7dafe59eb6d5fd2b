"""The article's series and its target."""

import numpy as np

from training.values import Values


def article_series() -> tuple[Values, Values]:
    """x_i = i for i = 0 … 103, and y_i = x_i + 0.5 x_(i-1) + 0.2 x_(i-2) + 0.1 x_(i-3).

    Source: "How to build LSTM neural networks in Keras", 2018.
    """
    series = np.arange(104.0)
    return series, np.convolve(series, [1, 0.5, 0.2, 0.1])[:104]
