"""Offline training: read a series, fit networks on its windows, evaluate, export and publish them."""
