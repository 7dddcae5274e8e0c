"""The model folder: `model.safetensors`, `model.json`, `training-faces.npz`, `training/`, `CARD.md`.

Nothing in it is ever unpickled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.classifiers.classifier import NO_MAPS, ResNetClassifier, WithoutMaps
from core.classifiers.info import ModelInfo, model_info
from core.errors import LookwhereError
from core.files import sha256, write_json
from core.integrity import record_files
from core.locks import put_in_place
from core.remote import MODEL, fetched

if TYPE_CHECKING:  # pages list models without paying for torch
    import torch

    from core.classifiers.classifier import Classifier
    from core.classifiers.resnet import GenderResNet

#: A ResNet-50 halves its input five times.
LEAST_INPUT = 32


@dataclass(frozen=True)
class Model:
    """A loaded model: what `model.json` says of it, and the function that audits put faces through.

    `network` is a ResNet-50 of ours in eval mode, None for a model that was imported; `classify` is None where only a
    model's predictions were.
    """

    name: str
    path: Path
    network: GenderResNet | None
    info: ModelInfo
    classify: Classifier | None

    def explained_by(self, maps: str) -> Model:
        """The same model with maps by another method, or with none (`none`).

        Raises `LookwhereError` where the method cannot be used on it.
        """
        if self.classify is None:
            raise LookwhereError(f"{self.path}: predictions alone give no maps; leave --maps out")
        if maps.strip().lower() == NO_MAPS:
            return replace(self, classify=WithoutMaps(self.classify))
        return replace(self, classify=self.classify.explained_by(maps))


def save_model(path: Path, network: GenderResNet, info: ModelInfo) -> ModelInfo:
    """Write weights in half precision (batch-norm statistics stay float32), then `model.json`; returns its content.

    `info` says how the network was trained; what the network itself and the hashes of training faces that lie there
    tell is filled in.
    """
    from safetensors.torch import save_file

    from core.classifiers.preprocessing import MEAN, STD
    from core.classifiers.training_hashes import FILE

    path.mkdir(parents=True, exist_ok=True)
    state = {
        name: (tensor.half() if tensor.is_floating_point() and "running_" not in name else tensor).cpu().contiguous()
        for name, tensor in network.state_dict().items()
    }
    with put_in_place(path / "model.safetensors") as partial:
        save_file(state, partial)
    content = replace(
        info,
        key_order=(),
        dilated=network.dilated,
        mean=tuple(MEAN),
        std=tuple(STD),
        training_faces=record_files(path, (FILE,)).get(FILE),
        weights_sha256=sha256(path / "model.safetensors"),
    )
    write_json(path / "model.json", content.to_json())
    return content


def load_model(path: str | Path, device: torch.device | str = "cpu") -> Model:
    """Load and check a model folder of any kind, or one at an address (`core.remote`).

    A ResNet-50 of ours gets float32 weights in channels_last memory.

    Raises `LookwhereError` where a file is missing or changed, or the weights do not fit the architecture.
    """
    path = fetched(path, MODEL)
    info = model_info(path)
    if str(device) != "cpu":
        from core.devices import usable

        device = usable(device)
    ours = info.trained_here
    weights = path / ("model.safetensors" if ours else Path(info.weights).name)
    if not weights.is_file():
        again = "train again with `python -m train`" if ours else "import it again with `python -m core import`"
        raise LookwhereError(f"{weights}: missing; restore it, or {again}")
    if sha256(weights) != info.weights_sha256:
        raise LookwhereError(f"{weights}: not the weights that model.json names (SHA-256 differs); restore it")
    if not ours:
        from core.classifiers.imported import load_imported

        return Model(path.name, path, None, info, load_imported(path, info, device))
    _check_input(info, path)
    network = _own_network(weights, info).to(device)
    return Model(path.name, path, network, info, ResNetClassifier(network, info))


def _check_input(info: ModelInfo, path: Path) -> None:
    """What `model.json` says of the input of a model trained here is what the epoch that was kept was trained with."""
    from core.classifiers.preprocessing import MEAN, STD

    wrong = [name for name, ours in (("mean", MEAN), ("std", STD)) if getattr(info, name) != tuple(ours)]
    stages = info.training.stages if info.training else ()
    ends = np.cumsum([stage.epochs or 0 for stage in stages])
    if len(stages) and info.epoch:
        stage = stages[min(int((ends < info.epoch).sum()), len(stages) - 1)]
        last_stage = {"input_size": stage.size, "dilated": stage.dilated}
        wrong += [name for name, value in last_stage.items() if value not in (None, getattr(info, name))]
    if info.input_size is not None and info.input_size < LEAST_INPUT:
        wrong.append("input_size")
    if wrong:
        raise LookwhereError(
            f"{path}/model.json: {', '.join(dict.fromkeys(wrong))}: not what this model was trained with; restore the "
            "file"
        )


def _own_network(weights: Path, info: ModelInfo) -> GenderResNet:
    import torch
    from safetensors import SafetensorError

    from core.classifiers.resnet import GenderResNet
    from core.classifiers.tensor_file import read_tensors

    if info.classes != info.task.classes:
        raise LookwhereError(
            f"{weights.parent}/model.json: classes are {list(info.classes)}, not {list(info.task.classes)} in order"
        )
    with torch.device("meta"):  # without drawing 24 million random weights first, which none of them keeps
        network = GenderResNet(dilated=info.dilated)
    try:
        network.load_state_dict(
            {name: t.float() if t.is_floating_point() else t for name, t in read_tensors(weights)[0].items()},
            assign=True,
        )
    except (SafetensorError, OSError, RuntimeError) as error:
        raise LookwhereError(
            f"{weights}: no ResNet-50 for {len(info.classes)} classes ({str(error).splitlines()[0]})"
        ) from error
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def load_initial(network: GenderResNet, init: str) -> str:
    """Weights to start from: a `.safetensors` file or the folder of a model, or `imagenet` (torchvision's; needs the
    network once).

    A head of another size is left as it is. Returns a word for the provenance.
    """
    from safetensors import SafetensorError

    from core.classifiers.tensor_file import read_tensors

    if init == "imagenet":
        from torchvision.models import ResNet50_Weights

        try:
            state = ResNet50_Weights.IMAGENET1K_V2.get_state_dict(check_hash=True)
        except OSError as error:
            raise LookwhereError(
                f"--init imagenet: cannot fetch torchvision's weights ({error}); give a file"
            ) from error
    else:
        try:
            state, _ = read_tensors(Path(init) / "model.safetensors" if Path(init).is_dir() else Path(init))
        except (OSError, SafetensorError) as error:
            raise LookwhereError(f"--init {init}: not a readable .safetensors file ({error})") from error
    own = network.state_dict()
    fitting = {k: v.to(own[k].dtype) for k, v in state.items() if k in own and v.shape == own[k].shape}
    if len(fitting) < 0.9 * len(own):
        raise LookwhereError(f"--init {init}: only {len(fitting)} of {len(own)} tensors fit a ResNet-50")
    network.load_state_dict(own | fitting)
    return init
