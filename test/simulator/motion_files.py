"""Small motion files, written for these tests."""

from __future__ import annotations


def bvh(rows: list[str], frames: int | None = None, root: str = "Hips") -> str:
    """A BVH of the Mixamo family whose joints all stay at rest; `rows` are its motion lines."""
    lines = [
        "HIERARCHY",
        f"ROOT {root}",
        "{",
        "OFFSET 0 0 0",
        "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation",
    ]

    def chain(*joints: tuple[str, str]) -> None:
        for name, offset in joints:
            lines.extend([f"JOINT {name}", "{", f"OFFSET {offset}", "CHANNELS 3 Zrotation Xrotation Yrotation"])
        lines.extend(["End Site", "{", "OFFSET 0 0 5", "}"])
        lines.extend("}" for _ in joints)

    lines.extend(["JOINT Spine1", "{", "OFFSET 0 10 0", "CHANNELS 3 Zrotation Xrotation Yrotation"])
    lines.extend(["JOINT Spine3", "{", "OFFSET 0 20 0", "CHANNELS 3 Zrotation Xrotation Yrotation"])
    chain(("Neck", "0 25 0"), ("Head", "0 10 0"))
    for side, sign in (("Left", 1), ("Right", -1)):
        chain(
            (f"{side}Shoulder", f"{3 * sign} 18 0"),
            (f"{side}Arm", f"{12 * sign} 0 0"),
            (f"{side}ForeArm", f"{28 * sign} 0 0"),
            (f"{side}Hand", f"{25 * sign} 0 0"),
        )
    lines.extend(["}", "}"])
    for side, sign in (("Left", 1), ("Right", -1)):
        chain(
            (f"{side}UpLeg", f"{9 * sign} 0 0"),
            (f"{side}Leg", "0 -42 0"),
            (f"{side}Foot", "0 -41 0"),
            (f"{side}ToeBase", "0 -6 13"),
        )
    lines.extend(
        ["}", "MOTION", f"Frames: {len(rows) if frames is None else frames}", "Frame Time: 0.033333333", *rows]
    )
    return "\n".join(lines) + "\n"


CHANNELS = 6 + 3 * (4 + 2 * 4 + 2 * 4)
REST_ROW = " ".join(["0 92 0"] + ["0"] * (CHANNELS - 3))

ASF_BONES = (
    ("lhipjoint", "root", "1 0 0", 2.0, ""),
    *(("lfemur", "lhipjoint", "0 -1 0", 7.0, "rx ry rz"), ("ltibia", "lfemur", "0 -1 0", 7.0, "rx")),
    *(("lfoot", "ltibia", "0 0 1", 2.0, "rx rz"), ("ltoes", "lfoot", "0 0 1", 1.0, "rx")),
    ("rhipjoint", "root", "-1 0 0", 2.0, ""),
    *(("rfemur", "rhipjoint", "0 -1 0", 7.0, "rx ry rz"), ("rtibia", "rfemur", "0 -1 0", 7.0, "rx")),
    *(("rfoot", "rtibia", "0 0 1", 2.0, "rx rz"), ("rtoes", "rfoot", "0 0 1", 1.0, "rx")),
    ("lowerback", "root", "0 1 0", 2.0, "rx ry rz"),
    ("thorax", "lowerback", "0 1 0", 2.0, "rx ry rz"),
    *(("lowerneck", "thorax", "0 1 0", 1.0, "rx ry rz"), ("head", "lowerneck", "0 1 0", 1.0, "rx ry rz")),
    *(("lclavicle", "thorax", "1 0 0", 3.0, "ry rz"), ("lhumerus", "lclavicle", "1 0 0", 5.0, "rx ry rz")),
    *(("lradius", "lhumerus", "1 0 0", 3.0, "rx"), ("lhand", "lradius", "1 0 0", 1.0, "rx rz")),
    *(("rclavicle", "thorax", "-1 0 0", 3.0, "ry rz"), ("rhumerus", "rclavicle", "-1 0 0", 5.0, "rx ry rz")),
    *(("rradius", "rhumerus", "-1 0 0", 3.0, "rx"), ("rhand", "rradius", "-1 0 0", 1.0, "rx rz")),
)


def asf() -> str:
    """A skeleton of the CMU family."""
    lines = [
        ":version 1.10",
        ":units",
        "  length 0.45",
        "  angle deg",
        ":root",
        "  order TX TY TZ RX RY RZ",
        ":bonedata",
    ]
    for name, _, direction, length, freedoms in ASF_BONES:
        lines.extend(["begin", f"name {name}", f"direction {direction}", f"length {length}", "axis 0 0 0 XYZ"])
        lines.extend([f"dof {freedoms}"] if freedoms else [])
        lines.append("end")
    lines.extend([":hierarchy", "begin"])
    lines.extend(f"{parent} {name}" for name, parent, *_ in ASF_BONES)
    return "\n".join([*lines, "end"]) + "\n"


def amc(frames: int, knee_deg: float = 0.0) -> str:
    """A motion of `asf()`: standing, the left knee bent by `knee_deg`."""
    lines = [":FULLY-SPECIFIED", ":DEGREES"]
    for frame in range(1, frames + 1):
        lines.extend([str(frame), "root 0 17 0 0 0 0"])
        for name, _, _, _, freedoms in ASF_BONES:
            if freedoms:
                values = [knee_deg if name == "ltibia" else 0.0] * len(freedoms.split())
                lines.append(" ".join([name, *map(str, values)]))
    return "\n".join(lines) + "\n"
