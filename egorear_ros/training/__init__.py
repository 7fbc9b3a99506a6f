"""Training: losses, parameter groups, optimisation.

May import: network, data, evaluation, skeleton, errors, resources. Imported by cli.
"""
