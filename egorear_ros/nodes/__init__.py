"""The ROS 2 nodes: parameters, subscribe, convert, call the core, publish. The only folder that imports rclpy.

May import everything but `cli`. Nothing but `cli` (and the launch files) may import it.
"""
