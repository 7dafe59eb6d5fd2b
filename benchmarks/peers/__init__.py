"""The peers: each in a folder with its server and its pinned requirements, installed by `make bench-peers`."""

from benchmarks.load import Candidate

PEERS: list[Candidate] = []
