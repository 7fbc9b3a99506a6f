"""The doctor's loopback check, for real."""

from egorear_ros.cli import doctor


def test_a_frame_set_goes_to_another_process_and_back() -> None:
    (finding,) = doctor.check_loopback()
    assert finding.state == doctor.OK, finding
    assert "ms" in finding.detail


def test_ros_and_messages_are_found() -> None:
    states = {finding.what: finding.state for finding in doctor.check_ros()}
    assert states["rclpy"] == states["egorear_msgs.msg"] == states["tf2_msgs.msg"] == doctor.OK
