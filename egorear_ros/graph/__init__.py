"""The live graph: what it is made of, its arguments, and how it is started, watched and ended.

Only `main`, `running`, `readiness`, `loopback`, `process_health` and `demo` need rclpy, and `launching` the launch
packages. The rest is read, and tested, without ROS. May import nodes; nodes never import it.
"""
