"""The stages a system is trained in: which networks, from which earlier ones.

Stage 1 trains heatmap networks per stereo pair, stage 2 the refinement, stage 3 the whole system: for EgoRear and
EgoPoseFormer that is the joint fine-tuning of everything below it, for EgoTAP the lifting alone. `egorear-s` has no
stages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from egorear_ros.data.frame_sets import Resize, averaged
from egorear_ros.inference.preprocessing import mode_for, resize_official
from egorear_ros.network import (
    EgoRearConfig,
    EgoRearSConfig,
    EgoTapConfig,
    EgoTapLiftingConfig,
    HeatmapConfig,
    NetworkConfig,
    TemporalConfig,
)
from egorear_ros.network.config import ConfigError
from egorear_ros.network.views import pairs_of

Kind = Literal["egorear-s", "heatmap", "refinement", "pose", "egotap-heatmap", "egotap-lifting"]


@dataclass(frozen=True)
class Part:
    """Weights of an earlier job, and the module of the network they go to.

    Attributes:
        job: its name.
        network: its configuration.
        module: path of the module; empty: the network itself.
    """

    job: str
    network: NetworkConfig
    module: str = ""


@dataclass(frozen=True)
class Job:
    """One network to train.

    Attributes:
        name: of its folder within the run's; empty for a system without stages.
        stage: 1, 2 or 3; 0 for a system without stages.
        kind: which losses.
        network: its configuration.
        views: what it sees.
        parts: what it starts from.
    """

    name: str
    stage: int
    kind: Kind
    network: NetworkConfig
    views: tuple[str, ...]
    parts: tuple[Part, ...] = ()

    @property
    def image_size(self) -> int:
        """Width and height of its images."""
        assert not isinstance(self.network, EgoTapLiftingConfig | TemporalConfig)  # trained as a part, or elsewhere
        return self.network.image_size

    @property
    def resize(self) -> Resize:
        """How larger images are made that size: as in use, for the paper's systems as in the official code, too."""
        return averaged if mode_for(self.network) == "fast" else resize_official


def jobs_of(network: NetworkConfig) -> tuple[Job, ...]:
    """The jobs of a system, in order.

    Raises:
        ConfigError: the network is a part of a system, not one.
    """
    match network:
        case EgoRearSConfig():
            return (Job("", 0, "egorear-s", network, network.views),)
        case EgoRearConfig(frame="device", lifting=True):
            return _egorear(network)
        case EgoTapConfig():
            return _egotap(network)
    raise ConfigError(
        f"{network} is not trained as a whole: name a system such as egorear-s, egorear-4view or egotap-front"
    )


def views_of(jobs: Sequence[Job]) -> tuple[str, ...]:
    """Every view that at least one of the jobs sees."""
    return tuple(dict.fromkeys(view for job in jobs for view in job.views))


def _egorear(config: EgoRearConfig) -> tuple[Job, ...]:
    first = list(_estimators(config))
    parts = tuple(Part(job.name, job.network, f"estimators.{pair}") for pair, job in first)
    jobs = [job for _, job in first]
    if config.refinement:
        second = _refinement(config, parts)
        jobs.append(second)
        parts = (Part(second.name, second.network),)
    return (*jobs, Job("stage3", 3, "pose", config, config.views, parts))


def _estimators(config: EgoRearConfig) -> Iterator[tuple[str, Job]]:
    """Stage 1 of each pair; of a pair with one camera, that camera alone."""
    sizes = config.backbone, config.channels, config.image_size, config.width
    for pair, members in pairs_of(config.views).items():
        views = tuple(config.views[i] for i in members)
        yield pair, Job(f"stage1-{_pair_name(pair, views)}", 1, "heatmap", HeatmapConfig(pair, *sizes), views)


def _pair_name(pair: str, views: Sequence[str]) -> str:
    return pair if len(views) == 2 else views[0]


def _refinement(config: EgoRearConfig, parts: tuple[Part, ...]) -> Job:
    """Stage 2; what only a lifter needs to know is left out, so that systems can share its weights."""
    network = EgoRearConfig(
        config.views,
        lifting=False,
        backbone=config.backbone,
        channels=config.channels,
        image_size=config.image_size,
        width=config.width,
    )
    return Job("stage2", 2, "refinement", network, config.views, parts)


def _egotap(config: EgoTapConfig) -> tuple[Job, ...]:
    jobs: list[Job] = []
    parts: list[Part] = []
    maps: tuple[Literal["joint", "limb"], ...] = ("joint", "limb")
    if config.refinement:
        maps = ("limb",)
        *below, _ = _egorear(config.refinement_network)
        jobs.extend(below)
        parts.append(Part(below[-1].name, below[-1].network, "refinement"))
    for kind in maps:
        for pair in pairs_of(config.views):
            network = config.heatmap_network(kind, pair)
            jobs.append(Job(f"stage1-egotap-{kind}-{pair}", 1, "egotap-heatmap", network, network.views))
            parts.append(Part(jobs[-1].name, network, f"{kind}_heatmaps.{pair}"))
    jobs.sort(key=lambda job: job.stage)
    return (*jobs, Job("stage3", 3, "egotap-lifting", config, config.views, tuple(parts)))
