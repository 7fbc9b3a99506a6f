"""The ROS 2 nodes: parameters, subscribe, convert, call the core, publish.

May import everything but training, graph and cli. Only `graph` and `cli` import it.
"""
