"""Packages that only a part of Lookwhere needs, and the line that says how to install the missing one."""

from __future__ import annotations

#: Each optional package, by the name it is imported under, and the extra of `pyproject.toml` that brings it.
EXTRAS = {
    **dict.fromkeys(
        (
            "torch", "torchvision", "safetensors", "facenet_pytorch", "imagehash", "timm", "onnx", "onnxruntime",
            "pytorch_grad_cam", "pi_heif",
        ),
        "models",
    ),
    **dict.fromkeys(("lightning_fabric", "sklearn"), "train"),
    "openvino": "fast",
    **dict.fromkeys(("matplotlib", "kaleido", "choreographer"), "export"),
    **dict.fromkeys(("fsspec", "s3fs"), "remote"),
}  # fmt: skip


def missing_extra(error: ModuleNotFoundError) -> str | None:
    """One line naming the missing package and the command that installs it; None where it is no optional package.

    A missing package of the base installation, or a module of ours, is a defect and is not explained away.
    """
    package = (error.name or "").partition(".")[0]
    if package not in EXTRAS:
        return None
    return f'this needs {package}, which is not installed; install it with: pip install "lookwhere[{EXTRAS[package]}]"'
