"""The command `import`, which takes in somebody else's model."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional

from core.commands.declared_outputs import ScoreKind, other_outputs, outputs_declared
from core.commands.help_words import MAPS
from core.commands.output import models_flag, opened_store, printed
from core.errors import LookwhereError
from core.places import MODELS
from core.wording import percent

if TYPE_CHECKING:
    import pandas as pd

    from core.classifiers.info import DeclaredInfo, MapsInfo, ModelInfo


@outputs_declared("output", "data")
def import_(
    path: Positional[Path],
    name: str,
    declare: Path | None = None,
    architecture: str | None = None,
    score: ScoreKind | None = None,
    female: int | None = None,
    male: int | None = None,
    of: str | None = None,
    target: str | None = None,
    classes: tuple[str, str] | None = None,
    indices: tuple[int, int] | None = None,
    size: tuple[int, int] | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    divisor: float | None = None,
    layout: Literal["nchw", "nhwc"] | None = None,
    channels: Literal["rgb", "bgr", "grey"] | None = None,
    crop: tuple[float, float, float, float] | None = None,
    template: tuple[str, ...] | None = None,
    resize: str | None = None,
    output: str | None = None,
    layer: str | None = None,
    pooling: str | None = None,
    bn_eps: float | None = None,
    activation: str | None = None,
    maps: Annotated[str | None, MAPS] = None,
    precision: Literal["float32", "bfloat16", "auto"] | None = None,
    file_column: str = "file",
    score_column: tuple[str, ...] = ("score",),
    data: Path | None = None,
    try_portraits: bool = False,
    models: Path = MODELS,
    json: bool = False,
) -> str:
    """Import somebody else's model: a torchvision or timm state dict, a ViT or Swin of Hugging Face's, an ONNX file,
    or predictions in a table.

    What its input and outputs mean is declared, by a YAML file, flags, or both (flags win), and never guessed; what is
    taken by default is told.
    Example: python -m core import gender.onnx --name theirs --declare theirs.yaml
    Or: python -m core import resnet18.safetensors --name theirs --architecture torchvision:resnet18
    --size 224 224 --mean 0.485 0.456 0.406 --std 0.229 0.224 0.225 --score logits --female 0 --male 1
    Or: python -m core import theirs-vit --name theirs --female 0 --male 1
    Or: python -m core import scores.csv --name theirs --score probability --of male --score-column p_male
    Or: python -m core import glasses.csv --name glasses --target Eyeglasses --classes no yes
    --score probability --of yes

    Args:
        path: The file: .safetensors, .pt, .pth, .pth.tar, .bin, .ckpt, .onnx, .csv or .parquet; or a folder of Hugging
            Face's, config.json beside the weights.
        name: The model's name, a new folder under models/.
        declare: YAML file of what the flags below say.
        architecture: Of a state dict: torchvision:NAME or timm:NAME. Of Hugging Face's models config.json says it, and
            what the files beside say of input and outputs holds where no flag says otherwise.
        score: What the outputs are: logits or probabilities, one a class; or one logit or probability. Of tables also
            percentages or a percentage (0-100), or label (words such as male and female).
        size: Height and width of the input, in pixels.
        mean: What is taken from each channel, after dividing by --divisor.
        std: What each channel is then divided by.
        divisor: What pixels of 0-255 are divided by first; by default 255.
        layout: nchw (the default) or nhwc.
        channels: rgb (the default), bgr or grey.
        crop: Left, top, right, bottom of the input in the 112-pixel template; by default all of it.
        template: Instead of --crop: to which five points the model's own pipeline aligns faces: arcface, sphereface or
            ffhq, or ten numbers, x and y in pixels of the input of left eye, right eye, nose, left and right mouth
            corner as seen in the image.
        resize: How the crop becomes the input: pillow-bilinear (the default), pillow-bicubic, pillow-lanczos, bilinear
            (as OpenCV and torch do it without antialiasing), corners (as dlib does it), area (OpenCV's INTER_AREA),
            antialias (torch's).
        output: The name of the ONNX output, where there are several.
        layer: The module that Grad-CAM explains; by default the last with a spatial output.
        pooling: Of a state dict, which does not tell: how the network pools before its head, avg, max, avgmax,
            catavgmax, token or map. By default as the architecture has it, like the next two.
        bn_eps: The eps of its batch norms.
        activation: Its activation, by timm's name.
        maps: How maps are made. By default: of a state dict the closed form where the network ends in an average and
            one linear layer, else gradcam; of an ONNX file likewise, else occlusion. Each method below
            with its passes of the network a face, those of our ResNet-50 where they depend on it.
        precision: Of a state dict: what the network computes in, by default float32. bfloat16 is faster where the
            processor has it, and turns the decision of a few faces; auto takes it there.
        file_column: Of predictions: the column with each face's file.
        score_column: Of predictions: the column of scores, or several, as --female and --male count them.
        data: Of predictions: the aligned store that they are of; names that do not fit are then told now, not at the
            audit.
        try_portraits: Import nothing: print what the model, declared so, says of each portrait that comes with
            Lookwhere, beside what the person pictured reported.
        models: Where model folders lie: by default $LOOKWHERE_MODELS, else models/.
        json: Print the result as one JSON object, and nothing else; its keys are in docs/json.md.
    """
    from core.classifiers.imported import check_readable, import_model
    from core.classifiers.imported import declare as declared
    from core.classifiers.imported.hugging_face import declared_beside
    from core.classifiers.imported.import_options import NetworkOptions, PredictionTable
    from core.classifiers.info import model_info
    from core.present.card import write_card
    from core.present.card.details import enlarged
    from core.present.records.data import model_record
    from core.present.text.placement import TESTED, placement_words

    check_readable(path)
    spec = declared(
        declare,
        None if architecture or target else declared_beside(path),
        score=score,
        female=female,
        male=male,
        of=of,
        target=target,
        classes=classes,
        indices=indices,
        size=size,
        mean=mean,
        std=std,
        divisor=divisor,
        layout=layout,
        channels=channels,
        crop=crop,
        template=template,
        resize=resize,
        output=output,
        layer=layer,
        pooling=pooling,
        bn_eps=bn_eps,
        activation=activation,
    )
    network = NetworkOptions(architecture, maps, precision)
    if try_portraits:
        return _of_portraits(
            path, lambda models: import_model(path, "tried", spec, models=models, network=network), json
        )
    faces = None if data is None else opened_store(data).faces
    folder = import_model(
        path,
        name,
        spec,
        models=models,
        network=network,
        table=PredictionTable(file_column, score_column, faces),
        complete=lambda work: write_card(work, name),
    )
    info = model_info(folder)
    note = enlarged(info)
    lines = [
        f"{folder}: {info.architecture}; {_explained(info)}",
        *_not_declared(info),
        *([f"{placement_words(info.maps)} {TESTED}"] if info.maps and info.maps.placement else []),
        *([] if faces is None else [_coverage(folder, info, faces, data)]),
        *([f"note: {note}"] if note else []),
        f"next: python -m core audit --model {name}{models_flag(models)} --data data/aligned/DATASET --split test",
    ]
    return printed("import", json, lambda: "\n".join(lines), lambda: model_record(folder, info, note))


def _explained(info: ModelInfo) -> str:
    """How maps are made, and what the network computes in where that is known."""
    words = "no maps"
    if info.maps:
        words = f"maps by {info.maps.method}" + (", which add up to the logits" if info.maps.additive else "")
    return words + (f"; computed in {info.precision}" if info.precision else "")


def _coverage(folder: Path, info: ModelInfo, faces: pd.DataFrame, data: Path) -> str:
    """How many of a store's faces a table has predictions of, and how many predictions are of none."""
    from core.classifiers.imported.predictions import scores_for

    count = int(scores_for(folder, info, faces)[1].sum())
    rest = f"; the other {len(faces) - count:,} are left out of audits" if count < len(faces) else ""
    rest += f"; {info.rows - count:,} predictions are of no face there" if count < info.rows else ""
    return f"predictions are there for {count:,} of {len(faces):,} faces of {data}{rest}"


def _of_portraits(path: Path, bring: Callable[[Path], Path], json: bool) -> str:
    """What a model says of the portraits; it is imported by `bring` into a folder that goes again."""
    from core.classifiers.folder import load_model
    from core.classifiers.imported import kind_for
    from core.classifiers.imported.spec import BOTH
    from core.photo import portraits
    from core.present.records.data import model_record

    if kind_for(path) == "predictions":
        raise LookwhereError(f"{path}: a table of predictions cannot look at a portrait; leave --try-portraits out")
    with tempfile.TemporaryDirectory(prefix="lookwhere-") as folder:
        loaded = load_model(bring(Path(folder)))
        if not loaded.info.task.is_gender:  # nobody said of the portraits what it tells apart
            raise LookwhereError(f"{path}: the portraits are labelled by gender alone; leave --try-portraits out")
        drawings = portraits.draw(loaded.path, loaded.classify, loaded.info.weights_sha256)
    pairs = [(face, drawings[face.id].prediction) for face in portraits.portraits()]
    right = sum(output.predicted == face.gender for face, output in pairs)
    lines = [
        f"nothing is imported; {path.name}, declared so, says of {len(pairs)} portraits:",
        *(f"  {face.words}: {output.predicted} at {percent(output.probability)}" for face, output in pairs),
        f"as those pictured report: {right} of {len(pairs)}",
        *([f"are {BOTH} exchanged? most are the other way round"] if right <= len(pairs) // 4 else []),
        *_not_declared(loaded.info),
    ]
    rows = [
        {"portrait": face.words, "predicted": output.predicted, "probability": output.probability}
        for face, output in pairs
    ]
    return printed("import", json, lambda: "\n".join(lines), lambda: model_record(None, loaded.info, portraits=rows))


def _not_declared(info: ModelInfo) -> list[str]:
    """Lines on what nobody declared: what was unwrapped, the layer that is explained, and defaults."""
    lines = [*_unwrapped(info.source.unwrapped), *_layer(info.maps)]
    if why := info.source.unknown_keys.get("not_exact"):
        lines.append(f"no exact maps: {why}")
    if why := info.source.unknown_keys.get("not_by_gradients"):
        lines.append(f"no Grad-CAM: {why}")
    lines += _defaults(info.declaration)
    lines += other_outputs(info)
    if info.empty:
        lines.append(f"rows without a score: {info.empty:,}; their faces are left out of audits")
    if info.assumed:
        names = ", ".join(f"{name} {value}" for name, value in info.assumed.items())
        lines.append(
            f"taken by default, as weights do not tell: {names}; declare pooling, bn_eps or activation if the network "
            "was trained with another, or export it to ONNX"
        )
    return lines


def _unwrapped(notes: Sequence[str]) -> list[str]:
    """A line on what the weights were in, and on what was taken off their names."""
    prefixes = [note for note in notes if note.endswith(".")]
    # The weights were in the first of them, what is told after the prefixes is whole sentences.
    parts = [f"taken off the names: {''.join(prefixes)}"] if prefixes else []
    for note in notes:
        if note not in prefixes:
            whole = note.startswith("head ") or " left out: " in note
            parts.insert(len(parts) if whole else 0, note if whole else f"taken from {note}")
    return ["; ".join(parts)] if parts else []


def _layer(maps: MapsInfo | None) -> list[str]:
    """A line on the layer that is explained, and on how nearly its maps give the model's logits."""
    if not maps or not maps.layer:
        return []
    sample, sums = "on noise and eight portraits", ""
    if (off := maps.unknown_keys.get("adds_up_to")) is not None:
        sums = f"; {sample}, maps and bias are the logits to {off:.0e} of the largest"
    if (off := maps.unknown_keys.get("agrees_to")) is not None:
        sums = f"; {sample}, written out for gradients, it gives the file's logits to {off:.0e}"
    return [f"layer explained: {maps.layer}{sums}"]


def _defaults(declaration: DeclaredInfo) -> list[str]:
    """Lines on what the model's own files say, and on what is as it is by default."""
    lines, values = [], declaration.to_json()
    if declaration.from_files:
        lines.append(
            f"read from its own files: {', '.join(f'{name} {values[name]}' for name in declaration.from_files)}"
        )
    if declaration.by_default:
        values |= {"divisor": f"{declaration.divisor:g}", "crop": "all of the template"}
        names = ", ".join(f"{name} {values[name]}" for name in declaration.by_default)
        lines.append(f"taken by default: {names}; declare them if that is not so")
    return lines
