"""Data sets: the Ego4View layout, shards, their check, rig clips, JPEG. No ROS.

May import only the base (rig, datatypes, skeleton, errors, resources and the like), as docs/architecture.md shows.
"""
