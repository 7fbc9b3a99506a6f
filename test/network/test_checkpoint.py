"""Official checkpoint files: converted exactly, or refused with one clear error."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from egorear_ros.cli import main
from egorear_ros.network import OFFICIAL_MODELS, CheckpointError, build, load_weights, save_weights
from egorear_ros.network.checkpoint import convert, read_official_file, recognise
from egorear_ros.network.official import official_layout
from egorear_ros.network.weights import sha256_of
from test.network.parity_cases import official_weights


def skeleton(name: str) -> nn.Module:
    with torch.device("meta"):
        return build(OFFICIAL_MODELS[name].config)


@pytest.fixture(scope="module")
def heatmap_weights() -> dict[str, Tensor]:
    name = "egorear_heatmap_front"
    return official_weights(name, skeleton(name))


def lightning_file(path: Path, weights: dict[str, Tensor], prefix: str = "network._orig_mod.", **more: Any) -> Path:
    torch.save({"epoch": 11, "state_dict": {prefix + key: value for key, value in weights.items()}, **more}, path)
    return path


@pytest.mark.parametrize("prefix", ["network._orig_mod.", "model.", ""])
def test_conversion_keeps_every_number(tmp_path: Path, heatmap_weights: dict[str, Tensor], prefix: str) -> None:
    source = lightning_file(tmp_path / "a.ckpt", heatmap_weights, prefix, hyper_parameters=argparse.Namespace(lr=1e-3))
    target = tmp_path / "new" / "a.safetensors"
    assert main.main(["convert-checkpoint", str(source), str(target), "--pair", "rear"]) == 0

    network, card = load_weights(target)
    names = official_layout("egorear_heatmap_back", network).names
    for ours, tensor in network.state_dict().items():
        assert torch.equal(tensor, heatmap_weights[names[ours]]), ours
    assert card.config == OFFICIAL_MODELS["egorear_heatmap_back"].config
    beside = json.loads(target.with_suffix(".json").read_text())
    assert beside["sha256"] == sha256_of(target)
    assert beside["source"] == {
        "official_model": "egorear_heatmap_back", "file": "a.ckpt", "sha256": sha256_of(source),
    }  # fmt: skip
    assert beside["units"]["poses"] == "m"
    assert sorted(path.name for path in target.parent.iterdir()) == ["a.json", "a.safetensors"]


@pytest.mark.parametrize("name", OFFICIAL_MODELS)
def test_every_official_model_is_recognised(name: str) -> None:
    network = skeleton(name)
    own = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    weights = {
        key: torch.empty(shape, device="meta") for key, shape in official_layout(name, network).shapes(own).items()
    }
    found = recognise(weights, data="rw" if "_rw_" in name else "syn", pair="rear" if "back" in name else "front")
    assert found == ("egorear_heatmap_front" if name == "egoposeformer_heatmap" else name)
    assert OFFICIAL_MODELS[found].config == OFFICIAL_MODELS[name].config
    if "pose3d" in name and "egorear" in name:
        assert OFFICIAL_MODELS[found].config.syn_inplace_projection == ("_syn_" in name)
        with pytest.raises(CheckpointError, match="--data syn or rw"):
            recognise(weights)


def test_heatmap_networks_need_their_pair(heatmap_weights: dict[str, Tensor]) -> None:
    with pytest.raises(CheckpointError, match="--pair front or rear"):
        recognise(heatmap_weights)


def test_partial_and_foreign_weights_name_the_entries(tmp_path: Path, heatmap_weights: dict[str, Tensor]) -> None:
    partial = dict(heatmap_weights)
    del partial["conv_heatmap.bias"]
    partial["extra.weight"] = torch.zeros(1)
    with pytest.raises(CheckpointError, match=r"1 of 142 .*missing: conv_heatmap\.bias; 1 unexpected: extra\.weight"):
        convert(lightning_file(tmp_path / "a.ckpt", partial), tmp_path / "a.safetensors", pair="front")
    wide = heatmap_weights | {"conv_heatmap.bias": torch.zeros(17)}
    with pytest.raises(CheckpointError, match=r"'conv_heatmap\.bias' is \(17,\), expected \(15,\)"):
        convert(lightning_file(tmp_path / "b.ckpt", wide), tmp_path / "b.safetensors", pair="front")
    with pytest.raises(CheckpointError, match="no official model has entries like 'fc1'"):
        convert(lightning_file(tmp_path / "c.ckpt", {"fc1": torch.zeros(1)}), tmp_path / "c.safetensors")
    assert not list(tmp_path.glob("*.safetensors"))


@pytest.mark.parametrize("content", [{}, {"state_dict": {}}, [1, 2], {"state_dict": {"a": 1}}])
def test_files_without_weights_are_refused(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match=r"holds no weights|is not a tensor"):
        read_official_file(tmp_path / "a.ckpt")


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_truncated_files_are_one_line_errors(
    tmp_path: Path, heatmap_weights: dict[str, Tensor], keep: float, capsys: pytest.CaptureFixture[str]
) -> None:
    source = lightning_file(tmp_path / "a.ckpt", {"conv_heatmap.weight": heatmap_weights["conv_heatmap.weight"]})
    data = source.read_bytes()
    source.write_bytes(data[: int(keep if keep > 1 else keep * len(data))])
    assert main.main(["convert-checkpoint", str(source), str(tmp_path / "a.safetensors")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "a.ckpt" in error


def test_missing_file_and_wrong_suffix(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not a file"):
        convert(tmp_path / "no.ckpt", tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match=r"ends in \.safetensors"):
        convert(tmp_path / "no.ckpt", tmp_path / "a.pt")


class Attack:
    """Pickles as a call of `function`."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = (function, args)

    def __reduce__(self) -> Any:
        return self.call


def attacks(marker: Path) -> dict[str, Any]:
    return {
        "os.system": Attack(os.system, f"touch {marker}"),
        "eval": Attack(eval, f"open({str(marker)!r}, 'w')"),
        "exec": Attack(exec, f"open({str(marker)!r}, 'w')"),
        "open": Attack(open, str(marker), "w"),
        "getattr": Attack(getattr, Attack(__import__, "os"), "system"),
        "torch.load": Attack(torch.load, str(marker)),
        "nested pickle": Attack(pickle.loads, pickle.dumps(Attack(os.system, f"touch {marker}"))),
    }


@pytest.mark.parametrize("attack", attacks(Path()))
def test_malicious_pickles_are_refused_and_do_not_run(
    tmp_path: Path, heatmap_weights: dict[str, Tensor], attack: str
) -> None:
    marker = tmp_path / "ran"
    payload = attacks(marker)[attack]
    source = lightning_file(tmp_path / "a.ckpt", heatmap_weights, hyper_parameters=payload)
    with pytest.raises(CheckpointError, match="is refused: it asks for"):
        convert(source, tmp_path / "a.safetensors", pair="front")
    assert not marker.exists()
    assert not (tmp_path / "a.safetensors").exists()


def test_unknown_settings_classes_are_never_imported(tmp_path: Path) -> None:
    """A class of somebody's package, with state, items and attributes, becomes a placeholder."""
    source = tmp_path / "a.ckpt"
    lightning_file(source, {"conv_heatmap.bias": torch.ones(15)}, hyper_parameters=_StrangeSettings())
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(tmp_path / "b.ckpt", "w") as new:
        for item in old.namelist():
            data = old.read(item)
            if item.endswith("data.pkl"):
                assert data.count(__name__.encode()) == 1
                data = data.replace(__name__.encode(), b"x" * len(__name__))
            new.writestr(item, data)
    assert torch.equal(read_official_file(tmp_path / "b.ckpt")["conv_heatmap.bias"], torch.ones(15))


class _StrangeSettings(dict):  # type: ignore[type-arg]
    def __init__(self) -> None:
        super().__init__(lr=1.0)
        self.note = "state"


def test_torchscript_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("a/constants.pkl", b"")
    with pytest.raises(CheckpointError, match="TorchScript"):
        read_official_file(tmp_path / "a.pt")


def test_weights_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    config = OFFICIAL_MODELS["egorear_heatmap_front"].config
    path = tmp_path / "a.safetensors"
    save_weights(path, build(config), config, {})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="cannot be read as safetensors"):
        load_weights(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="does not say what network it is"):
        load_weights(path)
    save_weights(path, nn.Linear(1, 1), config, {})
    with pytest.raises(CheckpointError, match="entries missing"):
        load_weights(path)
