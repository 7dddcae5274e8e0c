"""Which images of one scene show one face: near-copies of a photograph, and not many people before one backdrop.

A perceptual hash of a whole image sees mostly backdrop and pose where a studio has photographed many people: their
hashes are near, and they are no copies. The aligned faces tell them apart.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.data.shared_images import coarse_detail, fine_agreement

#: Correlation of the coarse detail from which a pair of a scene is looked at closely, and of the fine detail at the
#: best of small shifts from which its faces are one photograph's. Of 750 pairs with near hashes in UTKFace, Kaggle's
#: set and LFW, 39 lie between 0.6 and 0.85, the rest below or above; of 3,000 unrelated pairs none is above 0.64.
CLOSER, SAME = 0.45, 0.70
#: The same as `SAME` with one of the two mirrored. Of 128 pairs in UTKFace, Kaggle's set and LFW of which one's hash is
#: near the other's mirrored one, 16 lie above it and are one photograph each by eye; the next, from 0.74 down, are of
#: two people, but for one infant. No pair of London's 102 people, taken frontally in one studio, lies above it.
SAME_MIRRORED = 0.80
#: What a store whose near-copies were told so says of them.
BY_FACE = "aligned face"


def by_aligned_face(images: np.ndarray, rows: np.ndarray, scenes: np.ndarray) -> np.ndarray:
    """Clusters of near-copies, int64 (N,): faces of one scene that show one photograph, by the row of the first.

    `images` are aligned faces uint8 (M, H, W, 3), `rows` (N,) the places of the N faces in it, `scenes` (N,) what their
    images' hashes make one. A mirrored photograph is the same one. A face that is like one of the others through a
    third is in its cluster too.
    """
    result = np.asarray(rows, dtype=np.int64).copy()
    for members in pd.Series(np.arange(len(rows))).groupby(np.asarray(scenes)).agg(list):
        if len(members) > 1:
            places = np.array(members)
            for part in _parts(images, rows[places]):
                result[places[part]] = rows[places[part]].min()
    return result


def _parts(images: np.ndarray, rows: np.ndarray) -> list[np.ndarray]:
    """The positions in `rows` of one scene, by photograph: whoever was reached looks for those who were not yet."""
    coarse, mirrored = coarse_detail(images[rows]), coarse_detail(images[rows][:, :, ::-1])
    rest, parts = np.arange(len(rows)), []
    while len(rest):
        reached, rest = [int(rest[0])], rest[1:]
        for row in reached:  # grows while it is gone through
            face = images[[rows[row]]]
            for way, detail, bound in ((face, coarse, SAME), (face[:, :, ::-1], mirrored, SAME_MIRRORED)):
                candidates = rest[coarse[rest] @ detail[row] >= CLOSER]
                if len(candidates):
                    same = candidates[fine_agreement(way, images[rows[candidates]]) >= bound]
                    reached += same.tolist()
                    rest = np.setdiff1d(rest, same)
        parts.append(np.array(reached))
    return parts
