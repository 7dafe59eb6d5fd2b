"""Display names of the contenders, and the flags that train them."""

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

TRAINED_WITH = {
    "lstm": "--recipe scaled --networks lstm",
    "combination": "--networks lstm",
    "tanh_mlp": "--recipe scaled --networks mlp-tanh",
    "mlp": "--recipe scaled --networks mlp-window",
    "mlp_last": "--recipe scaled --networks mlp",
    "linear": "--recipe scaled --networks linear",
}
