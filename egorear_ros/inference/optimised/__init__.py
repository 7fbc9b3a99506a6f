"""The networks rearranged for inference: the same weights, the same numbers to float rounding, fewer operations.

`optimise` turns a trained network into a module without data-dependent control flow, which every engine can run or
export. `convolutions` folds and reorders, `sampling` looks into feature maps without projecting them first,
`joint_layers` runs the transformer layers of all refiners at once, `egorear` and `egorear_s` put the parts together.
"""

from torch import nn

from egorear_ros.inference.optimised.egorear import FastEgoRear
from egorear_ros.inference.optimised.egorear_s import FastEgoRearS
from egorear_ros.inference.optimised.results import FastNetwork, Results
from egorear_ros.network.egorear import EgoRear
from egorear_ros.network.egorear_s import EgoRearS


def optimise(network: nn.Module, heatmaps: bool = True) -> FastNetwork:
    """Rearrange a network that estimates poses in the device frame, in eval mode.

    Args:
        network: `EgoRear` with a lifter, or `EgoRearS`; left as it is.
        heatmaps: whether heatmaps are wanted; without them the official networks save their refined heatmap layers.
    """
    fast: FastNetwork
    if isinstance(network, EgoRearS):
        fast = FastEgoRearS(network, heatmaps)
    else:
        assert isinstance(network, EgoRear)
        fast = FastEgoRear(network, heatmaps)
    return fast.eval().requires_grad_(False)


__all__ = ["FastEgoRear", "FastEgoRearS", "FastNetwork", "Results", "optimise"]
