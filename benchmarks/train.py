"""`make bench-train`: time per epoch of the compiled training loop and of Keras' `fit`, on the same batches."""

import os
import statistics
import time
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # as the training sets it

import keras
import numpy as np
import tensorflow as tf

from training.config import TrainConfig
from training.data.series import load_rows
from training.loop import compile_loop, run_loop
from training.networks.registry import NETWORKS
from training.values import Values

EPOCHS = 100
ROUNDS = 3


class Run(NamedTuple):
    """Seconds per epoch without compilation, and the mean squared error after EPOCHS."""

    seconds: float
    loss: float


def main() -> None:
    """Run both in turns on the article's recipe, and print medians, their ratio and both losses."""
    config = TrainConfig(recipe="article")
    rows, _ = load_rows(config).split(config.resolved_held_out, config.resolved_horizon)
    print(f"{'epoch of':10}{'compiled ms':>14}{'plain fit ms':>14}{'ratio':>8}{'loss':>12}{'plain loss':>12}")
    for name in ("lstm", "mlp"):
        # Scaled to about one, so that the losses are comparable: on raw values RMSprop is unstable, and its result
        # depends on rounding.
        inputs, targets = NETWORKS[name].inputs(rows.windows) / 100, rows.targets / 100
        rounds = [
            (run_compiled(name, config, inputs, targets), run_plain(name, config, inputs, targets))
            for _ in range(ROUNDS)
        ]
        compiled, plain = (statistics.median(run.seconds for run in side) for side in zip(*rounds, strict=True))
        times = f"{1e3 * compiled:14.2f}{1e3 * plain:14.1f}{plain / compiled:8.0f}"
        print(f"{name:10}{times}{rounds[0][0].loss:12.5g}{rounds[0][1].loss:12.5g}", flush=True)


def untrained(name: str, config: TrainConfig) -> keras.Sequential:
    """The untrained network, initialized with the seed of the config."""
    keras.utils.set_random_seed(config.seed)
    return NETWORKS[name].build(config.resolved_window if NETWORKS[name].input == "window" else 1, None)


def optimizer_of(name: str) -> keras.optimizers.Optimizer:
    """The network's optimizer at Keras' defaults, as in the article's recipe."""
    return keras.optimizers.get(NETWORKS[name].optimizer)


def run_compiled(name: str, config: TrainConfig, inputs: Values, targets: Values) -> Run:
    """Run the compiled loop with the rows in order. The first half of the epochs, with compilation, is not timed."""
    model = untrained(name, config)
    epoch = np.arange(len(inputs), dtype=np.int32).reshape(-1, config.resolved_batch_size)
    half = np.tile(epoch, (EPOCHS // 2, 1))
    x = tf.constant(inputs.reshape(-1, *model.input_shape[1:]), tf.float32)
    y = tf.constant(targets.reshape(-1, 1), tf.float32)
    loop = compile_loop(model, optimizer_of(name), x, y)
    ends: list[float] = []
    run_loop(loop, name, iter([half, half]), lambda _, __: ends.append(time.perf_counter()))
    return Run((ends[1] - ends[0]) / (EPOCHS // 2), loss_of(model, inputs, targets))


def run_plain(name: str, config: TrainConfig, inputs: Values, targets: Values) -> Run:
    """Run Keras' `fit` without shuffling. The first epoch, which traces the graph, is not timed."""
    model = untrained(name, config)
    model.compile(optimizer_of(name), loss="mse")
    x = inputs.reshape(-1, *model.input_shape[1:]).astype(np.float32)
    model.fit(x, targets, batch_size=config.resolved_batch_size, shuffle=False, verbose=0)
    start = time.perf_counter()
    model.fit(x, targets, batch_size=config.resolved_batch_size, shuffle=False, epochs=EPOCHS - 1, verbose=0)
    return Run((time.perf_counter() - start) / (EPOCHS - 1), loss_of(model, inputs, targets))


def loss_of(model: keras.Sequential, inputs: Values, targets: Values) -> float:
    """Mean squared error over all rows."""
    x = inputs.reshape(-1, *model.input_shape[1:]).astype(np.float32)
    return float(np.mean((np.asarray(model(x))[:, 0] - targets) ** 2))


if __name__ == "__main__":
    main()
