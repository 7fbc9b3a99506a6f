"""Evaluation: metrics with their units, and what is reported from them.

May import: bags, data, inference, network, sync and the base. Imported by training, benchmarking, visualization,
nodes and cli.
"""
