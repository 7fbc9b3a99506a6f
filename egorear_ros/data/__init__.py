"""Data sets and recordings: the Ego4View layout, rig clips, ROS bags and their messages, targets, transforms. No ROS.

May import: rig, datatypes, skeleton, errors, resources. Imported by training, evaluation, inference, simulator,
    capture, nodes, cli.
"""
