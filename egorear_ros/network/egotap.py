"""EgoTAP from images to pose, with its own joint heatmaps or with those of EgoRear's refinement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from torch import Tensor, nn

from egorear_ros.network.config import EgoTapConfig, EgoTapHeatmapConfig
from egorear_ros.network.egorear import EgoRear
from egorear_ros.network.egotap_heatmap import EgoTapHeatmaps, heatmaps_of_pairs
from egorear_ros.network.egotap_lifting import EgoTapLifting
from egorear_ros.network.output import NetworkOutput
from egorear_ros.network.views import Pair, blank_missing, check_views, pairs_of
from egorear_ros.rig import RigCamera


class EgoTap(nn.Module):
    """EgoTAP for two or four views.

    The published system has two; for four, each stereo pair has its own heatmap networks (as EgoRear's estimators) and
    the lifting reads the maps of all four. With refinement, EgoRear's second stage takes the place of the joint heatmap
    networks: the plug-in changes the heatmaps the lifting reads, and nothing else.

    Args:
        config: views, refinement, lifting.
        cameras: the rig's cameras in the order of `config.views`; only the refinement needs them, for their number.
    """

    def __init__(self, config: EgoTapConfig, cameras: Sequence[RigCamera]) -> None:
        super().__init__()
        self.config = config
        self.pairs = pairs_of(config.views)
        if config.refinement:
            self.refinement = EgoRear(config.refinement_network, cameras)
        else:
            self.joint_heatmaps = _modules(self.pairs, lambda pair: config.heatmap_network("joint", pair))
        self.limb_heatmaps = _modules(self.pairs, lambda pair: config.heatmap_network("limb", pair))
        self.lifting = EgoTapLifting(config.lifting)

    def forward(
        self, images: Tensor, camera_from_device: Tensor | None = None, view_mask: Tensor | None = None
    ) -> NetworkOutput:
        """Estimate joint heatmaps and the pose.

        Args:
            images: (B, V, 3, H, W) RGB, ImageNet-normalised.
            camera_from_device: ignored: EgoTAP knows no cameras.
            view_mask: (B, V) bool, False for missing views.

        Returns:
            heatmaps: the joint maps (B, V, 15, H/4, W/4); with refinement, the initial and the refined ones.
            poses: one (B, 16, 3), metres. The heatmap networks get no gradient from it, as in the official training.
        """
        check_views(images, view_mask, self.config.views)
        images = blank_missing(images, view_mask)
        joint_maps = self._joint_maps(images, view_mask)
        limb_maps = heatmaps_of_pairs(self.limb_heatmaps, self.pairs, images, view_mask)
        pose = self.lifting.lift(joint_maps[-1].detach(), limb_maps.detach(), view_mask)
        return NetworkOutput(heatmaps=joint_maps, poses=(pose,))

    def _joint_maps(self, images: Tensor, view_mask: Tensor | None) -> tuple[Tensor, ...]:
        if self.config.refinement:
            return self.refinement(images, None, view_mask).heatmaps
        return (heatmaps_of_pairs(self.joint_heatmaps, self.pairs, images, view_mask),)


def _modules(pairs: Iterable[Pair], config_of_pair: Callable[[Pair], EgoTapHeatmapConfig]) -> nn.ModuleDict:
    return nn.ModuleDict({pair: EgoTapHeatmaps(config_of_pair(pair)) for pair in pairs})
