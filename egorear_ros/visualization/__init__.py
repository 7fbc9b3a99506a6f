"""Drawing skeletons: body frames, overlays, views in the browser.

May import: skeleton, datatypes, rig, data, evaluation. No ROS.
"""
