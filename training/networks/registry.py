"""The registry of networks: every network that `--networks` can name. To add one, add its file and a line here."""

from training.networks.gru import GRU
from training.networks.linear import LINEAR
from training.networks.lstm import LSTM
from training.networks.mlp import MLP, MLP_TANH, MLP_WINDOW
from training.networks.network import Network
from training.networks.pair import PAIR

ALL = (LSTM, MLP, PAIR, GRU, MLP_WINDOW, MLP_TANH, LINEAR)
NETWORKS: dict[str, Network] = {network.name: network for network in ALL}
