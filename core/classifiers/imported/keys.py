"""What each key of a declaration means, as an error says it to whoever left it out or gave something else."""

from __future__ import annotations

from collections.abc import Sequence

from core.task import GENDERS

#: What a key means, and a value of it as the YAML file has it; «» where it hangs on the model.
MEANINGS: dict[str, tuple[str, str]] = {
    "score": ("what the outputs are", "logits"),
    "of": ("the class that a single output speaks for", ""),
    **{name: (f"which output is {name}, counted from 0", str(place)) for place, name in enumerate(GENDERS)},
    "indices": ("which outputs are those of the two classes, counted from 0", "[0, 1]"),
    "target": ("what is classified", "Eyeglasses"),
    "classes": ("the two values of the target, the positive one last", "['no', 'yes']"),
    "size": ("height and width of the input, in pixels", "[224, 224]"),
    "mean": ("what each channel loses after the division by divisor", "[0.5, 0.5, 0.5]"),
    "std": ("what each channel is then divided by", "[0.5, 0.5, 0.5]"),
    "divisor": ("what pixels of 0–255 are divided by first", "255"),
    "layout": ("the order of the input's axes", "nchw"),
    "channels": ("the order of the colours", "rgb"),
    "crop": ("left, top, right and bottom of the input in the template", "[8, 8, 104, 104]"),
    "template": ("the five points to which the model's own pipeline aligns faces", "arcface"),
    "resize": ("how the crop becomes the input", "bilinear"),
    "output": ("the name of the ONNX output that is meant", ""),
    "layer": ("the name of the module that maps explain", ""),
    "pooling": ("how the network pools before its head", "avg"),
    "bn_eps": ("what the batch norms add to the variance", "0.00001"),
    "activation": ("timm's name of the activation", "relu"),
}


def meaning(key: str) -> str:
    """What a key means, as the end of a sentence on it; empty for one that nobody declares by hand."""
    words, example = MEANINGS.get(key, ("", ""))
    return words and f"; it says {words}" + (f", such as `{key}: {example}`" if example else "")


def lacking(keys: Sequence[str], why: str = "", examples: Sequence[str] = ()) -> str:
    """That these keys are not declared, what each means, and how to declare it.

    `why` says what needs them; `examples` are values of the keys, by default those of `MEANINGS`.
    """
    values = [*examples] or [MEANINGS[key][1] for key in keys]
    meanings = "; ".join(f"{key} says {MEANINGS[key][0]}" for key in keys)
    lines = " and ".join(f"`{key}: {value}`" for key, value in zip(keys, values, strict=True))
    return (
        f"{', '.join(keys)} not declared{why}. {meanings[0].upper() + meanings[1:]}. Declare it in the YAML file, such "
        f"as {lines}, or by {', '.join(f'--{key}' for key in keys)}; it is never guessed"
    )
