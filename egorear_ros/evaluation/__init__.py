"""Evaluation: metrics with their units, and what is reported from them.

May import: network, data, inference, skeleton, errors, resources. Imported by nodes, training, cli.
"""
