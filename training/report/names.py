"""Display names of the contenders."""

NAMES = {
    "lstm": "LSTM on the window",
    "combination": "LSTM by the combination recipe",
    "tanh_mlp": "MLP with tanh on the window",
    "mlp": "MLP on the window",
    "mlp_last": "MLP on the last value",
    "linear": "linear least squares",
    "persistence": "persistence",
    "mean": "the mean",
    "autoreg": "statsmodels' AutoReg",
}
