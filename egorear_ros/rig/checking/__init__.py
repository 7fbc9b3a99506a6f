"""Is this image what the rig file says? Found out from the images themselves, while the rig is used.

Points that two cameras see must fit the lenses and poses of the rig file. `matching` finds them, `epipolar` measures
how well they fit, `hypotheses` lists what may be wrong, `fitting` finds small turns, `judging` decides, and `rig_check`
says when to look. The network is not asked: its answer to wrong images is no evidence, and no threshold depends on
weights.
"""

from egorear_ros.rig.checking.judging import Fault, Verdict, judge
from egorear_ros.rig.checking.matching import Matcher, Matches
from egorear_ros.rig.checking.rig_check import RigCheck

__all__ = ["Fault", "Matcher", "Matches", "RigCheck", "Verdict", "judge"]
