"""ROS 2 bags without ROS: message types, reading, writing, and the core's data as messages and back.

May import: rig, datatypes, data. Imported by capture, evaluation, graph, nodes and cli. No ROS.
"""
