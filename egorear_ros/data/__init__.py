"""Data sets: readers and writers of the Ego4View layout, targets, transforms.

May import: rig, skeleton, errors, resources. Imported by training, evaluation, simulator, cli.
"""
