"""How fast a model is here: engines side by side in one run, each in a process of its own.

May import: evaluation, inference, network, data, rig, datatypes, skeleton, errors, resources. Imported by cli. No ROS.
"""
