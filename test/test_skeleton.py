"""The skeleton's tables agree with each other."""

from egorear_ros import skeleton as sk


def test_every_table_has_sixteen_joints() -> None:
    for table in (sk.JOINTS, sk.PARENTS, sk.MIRRORED, sk.UNREALEGO_NAMES, sk.REP155_NAMES):
        assert len(table) == sk.NUM_JOINTS == 16
    assert sk.HEATMAP_JOINTS == sk.JOINTS[1:]


def test_parents_come_before_children_and_lead_to_the_head() -> None:
    assert all(parent < joint for joint, parent in enumerate(sk.PARENTS) if joint)
    assert sk.PARENTS[0] == 0


def test_bones_are_the_official_drawing_edges() -> None:
    # Spec section 1: the edges of the official drawing class.
    official = "0-1 1-2 1-3 2-4 3-5 4-6 5-7 2-8 3-9 8-10 9-11 10-12 11-13 12-14 13-15 8-9".split()
    assert sorted(f"{a}-{b}" for a, b in sk.BONES) == sorted(official)


def test_groups_partition_the_joints() -> None:
    assert sorted(joint for group in sk.GROUPS.values() for joint in group) == list(range(16))


def test_mirroring_swaps_left_and_right_consistently() -> None:
    for joint, other in enumerate(sk.MIRRORED):
        assert sk.MIRRORED[other] == joint
        assert sk.JOINTS[other] == sk.JOINTS[joint].replace("Left", "#").replace("Right", "Left").replace("#", "Right")
        assert sk.MIRRORED[sk.PARENTS[joint]] == sk.PARENTS[other]
    for names, left, right in ((sk.UNREALEGO_NAMES, "_l", "_r"), (sk.REP155_NAMES, "l_", "r_")):
        for a, b in sk.LEFT_RIGHT_PAIRS:
            assert names[a].replace(left, right) == names[b]
