"""Our weights files: safetensors with the configuration inside, and a JSON card beside it.

The card says what the weights are (configuration, units, source) and their hash; the same card, without the hash, is in
the header of the safetensors file, which is therefore complete by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from egorear_ros.network import config as configs
from egorear_ros.network.config import ConfigError, NetworkConfig
from egorear_ros.network.official import check_keys
from egorear_ros.network.registry import build
from egorear_ros.network.unpickling import CheckpointError
from egorear_ros.plain_data import PlainDataError, parse_json
from egorear_ros.rig import Rig
from egorear_ros.settings import from_yaml

FORMAT: Final = "egorear-weights/1"

_KINDS: Final[dict[str, type[Any]]] = {
    "heatmap": configs.HeatmapConfig,
    "egorear": configs.EgoRearConfig,
    "egorear_s": configs.EgoRearSConfig,
    "egotap_heatmap": configs.EgoTapHeatmapConfig,
    "egotap_lifting": configs.EgoTapLiftingConfig,
    "egotap": configs.EgoTapConfig,
    "temporal": configs.TemporalConfig,
}


@dataclass(frozen=True)
class WeightsCard:
    """What a weights file holds.

    Attributes:
        config: the network's configuration.
        source: where the weights come from: for example the official model, file name and hash.
        sha256: of the safetensors file; empty while it is being written.
    """

    config: NetworkConfig
    source: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain values, with the units spelled out for readers without this code."""
        return {
            "format": FORMAT,
            "network": config_to_json(self.config),
            "units": {"poses": "m", "images": "RGB, ImageNet-normalised", "camera_from_device": "m"},
            "source": self.source,
            **({"sha256": self.sha256} if self.sha256 else {}),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> WeightsCard:
        """Read what `to_json` wrote.

        Raises:
            ConfigError: it is no such thing.
        """
        if content.get("format") != FORMAT:
            raise ConfigError(f"weights format is {content.get('format')!r}, this version reads '{FORMAT}'")
        network = content.get("network")
        if not isinstance(network, Mapping):
            raise ConfigError("weights card has no 'network'")
        return cls(config_from_json(network), dict(content.get("source", {})), str(content.get("sha256", "")))


def config_to_json(config: NetworkConfig) -> dict[str, Any]:
    """Configuration as plain values, with its kind."""
    kind = next(kind for kind, cls in _KINDS.items() if type(config) is cls)
    return {"kind": kind, **asdict(config)}


def config_from_json(content: Mapping[str, Any]) -> NetworkConfig:
    """Read what `config_to_json` wrote; fields left out have their defaults.

    Raises:
        ConfigError: an unknown kind or field, or a value that cannot be built.
    """
    values = dict(content)
    kind = values.pop("kind", None)
    if kind not in _KINDS:
        raise ConfigError(f"network kind is {kind!r}, expected one of {', '.join(_KINDS)}")
    made: NetworkConfig = from_yaml(_KINDS[kind], values)
    return made


def save_weights(path: Path, network: nn.Module, config: NetworkConfig, source: Mapping[str, Any]) -> WeightsCard:
    """Write `path` (.safetensors) and the card beside it (.json); a file appears complete or not at all.

    Args:
        path: where to write.
        network: built from `config`.
        config: what `load_weights` will build.
        source: where the weights come from, plain values.

    Raises:
        CheckpointError: the files cannot be written.
    """
    card = WeightsCard(config, dict(source))
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    metadata = {"egorear": json.dumps(card.to_json())}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_atomically(path, lambda partial: save_file(tensors, partial, metadata=metadata))
        card = WeightsCard(config, card.source, sha256_of(path))
        text = json.dumps(card.to_json(), indent=2) + "\n"
        _write_atomically(path.with_suffix(".json"), lambda partial: _write_text(partial, text))
    except OSError as error:
        raise CheckpointError(f"'{path}' cannot be written: {error}") from error
    return card


def read_card(path: Path) -> WeightsCard:
    """What a weights file says it holds; its tensors are not read.

    Raises:
        CheckpointError: the file cannot be read, or is not one of ours.
    """
    with _opened(path) as file:
        return _card_of(path, file)


def load_weights(path: Path, rig: Rig | None = None) -> tuple[nn.Module, WeightsCard]:
    """Build the network of a weights file, filled and in eval mode.

    Args:
        path: a file written by `save_weights`.
        rig: see `registry.build`.

    Raises:
        CheckpointError: the file cannot be read or does not hold the network it says it does.
    """
    with _opened(path) as file:
        card = _card_of(path, file)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, no mapping
    network = build(card.config, rig)
    own = network.state_dict()
    check_keys(f"'{path}'", set(own), tensors)
    for name, tensor in tensors.items():
        if tensor.shape != own[name].shape:
            raise CheckpointError(f"'{path}': '{name}' is {tuple(tensor.shape)}, expected {tuple(own[name].shape)}")
    network.load_state_dict(tensors)
    return network.eval(), card


def sha256_of(path: Path) -> str:
    """Hash of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file, whose own errors name it."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"'{path}' cannot be read as safetensors: {error}") from error


def _card_of(path: Path, file: Any) -> WeightsCard:
    header = (file.metadata() or {}).get("egorear")
    if header is None:
        raise CheckpointError(f"'{path}' does not say what network it is; make it with `egorear convert-checkpoint`")
    try:
        return WeightsCard.from_json(parse_json(header))
    except (ConfigError, PlainDataError) as error:
        raise CheckpointError(f"'{path}': {error}") from error


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    partial = Path(name)
    try:
        write(partial)
        partial.chmod(0o644)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
