"""Images of sampled faces, changed and put through the network again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from core.audit.folder import Audit
from core.checks.sample import Sample
from core.classifiers.folder import Model
from core.classifiers.preprocessing import normalise
from core.data.store import AlignedStore
from core.data.store_info import aligned_otherwise
from core.devices import autocast
from core.errors import LookwhereError
from core.explain.placement import Placement, enlarged, placed

#: Faces read at once, and images put through the network at once.
BLOCK, BATCH = 8, 64
#: Gaussian blur that leaves no feature of the face: σ as a share of the side (8 px of 112).
BLUR = 1 / 14
#: Of 0–1: what hides from a model of which the mean of its training images is not known.
MID_GREY = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Probe:
    """A sample of an audit together with what is needed to look at its faces again; `model` explains as the audit does.

    `rows` int64 (n,) in `store.images`; `sign` float32 (n,): +1 where the first class was predicted, else −1, so that
    sign × margin speaks for the prediction; `margin` float32 (n, h, w): the audit's margin maps.
    """

    audit: Audit
    model: Model
    store: AlignedStore
    sample: Sample
    rows: np.ndarray
    sign: np.ndarray
    margin: np.ndarray

    @property
    def oriented(self) -> np.ndarray:
        """Margin maps turned towards each face's predicted class, float32 (n, h, w)."""
        return self.margin * self.sign[:, None, None]

    @property
    def device(self) -> torch.device:
        """Where images are changed: where our network lies; an imported model gets them from the processor's memory."""
        return torch.device("cpu") if self.model.network is None else next(self.model.network.parameters()).device

    @property
    def grey(self) -> Tensor:
        """The colour that hides, float32 (3,) of 0–255: the mean of what our network takes, else mid-grey."""
        mean = MID_GREY if self.model.network is None else self.model.info.mean
        return torch.tensor(mean, device=self.device) * 255

    def blocks(self, size: int = BLOCK) -> Iterator[slice]:
        """The sample in pieces of `size` faces."""
        return (slice(low, min(low + size, len(self.sample))) for low in range(0, len(self.sample), size))

    def images(self, block: slice) -> Tensor:
        """Faces of a block, float32 (b, 3, 112, 112), 0–255."""
        stored = np.array(self.store.images[self.rows[block]])
        return torch.from_numpy(stored).to(self.device).permute(0, 3, 1, 2).float()

    def pixels(self, images: Tensor) -> Tensor:
        """Images (b, 3, 112, 112) of 0–255 as the network takes them."""
        info = self.model.info
        return normalise(images.permute(0, 2, 3, 1), self.device, info.input_size, info.mean, info.std)

    def margins(self, images: Tensor) -> np.ndarray:
        """Logit of the first class less that of the second, float64 (b,), of images (b, 3, 112, 112) of 0–255.

        An imported model gets them rounded to whole grey levels, as it gets faces.
        """
        margins = []
        if self.model.network is None:
            whole = images.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
            for low in range(0, len(whole), BATCH):
                logits = self.model.classify.logits(whole[low : low + BATCH]).astype(np.float64)
                margins.append(logits[:, 0] - logits[:, 1])
            return np.concatenate(margins)
        with torch.inference_mode(), autocast(self.device):
            for low in range(0, len(images), BATCH):
                logits, _ = self.model.network.evidence(self.pixels(images[low : low + BATCH]))
                margins.append((logits[:, 0] - logits[:, 1]).cpu().numpy().astype(np.float64))
        return np.concatenate(margins)


def check_source(audit: Audit, model: Model, store: AlignedStore) -> None:
    """Raise `LookwhereError` where the audit was made of other faces than the store's, or by another model."""
    if store.manifest.data_fingerprint != audit.manifest.data_fingerprint:
        raise LookwhereError(
            f"{store.path}: not the faces that audit {audit.name} was made of; name its store in --data"
        )
    if how := aligned_otherwise(audit.manifest.aligned, store.manifest.alignment):
        raise LookwhereError(
            f"{store.path}: faces aligned otherwise than those of audit {audit.name} ({how}); name its store in --data"
        )
    if model.info.weights_sha256 != audit.manifest.weights_sha256:
        raise LookwhereError(f"{model.path}: not the weights that audit {audit.name} was made with; audit it again")


def make_probe(audit: Audit, model: Model, store: AlignedStore, sample: Sample) -> Probe:
    """Raises `LookwhereError` where the audit was made of other faces, or by another model."""
    check_source(audit, model, store)
    place = store.faces.set_index("face_id")["row"].reindex(sample.faces["face_id"])
    if place.isna().any():
        raise LookwhereError(f"{store.path}: lacks faces of audit {audit.name}; name the audit's own store in --data")
    evidence = audit.evidence[sample.place].astype(np.float32)
    first = (sample.faces["predicted"] == audit.task.negative).to_numpy()
    return Probe(
        audit,
        model,
        store,
        sample,
        place.to_numpy(dtype=np.int64),
        np.where(first, 1, -1).astype(np.float32),
        evidence[:, 0] - evidence[:, 1],
    )


def blurred(images: Tensor) -> Tensor:
    """Images (b, 3, H, W) blurred beyond recognition of a feature."""
    sigma = BLUR * images.shape[-1]
    width = 2 * min(math.ceil(3 * sigma), images.shape[-1] - 1) + 1
    return gaussian_blur(images, [width, width], [sigma, sigma])


def enlarge(maps: np.ndarray, side: int, placement: Placement | None = None) -> np.ndarray:
    """Maps (n, h, w) to (n, side, side), bilinear between their cells' centres, as Grad-CAM is drawn; float32."""
    if not placed(maps.shape, placement).as_tiles:
        return enlarged(maps, placement, side)
    fine = F.interpolate(
        torch.from_numpy(np.ascontiguousarray(maps, np.float32))[:, None], (side, side), mode="bilinear"
    )
    return fine[:, 0].numpy()
