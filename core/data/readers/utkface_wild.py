"""UTKFace in the wild: `part1|part2|part3` of uncropped photos, named as the chips are.

A photo may show more people than the one its name describes.
"""

from __future__ import annotations

from core.data.readers.base import Refusal
from core.data.readers.utkface import RECOGNISED_SHARE, UTKFace, in_the_wild, parse
from core.data.sources.base import Source


class UTKFaceWild(UTKFace):
    name = "utkface-wild"
    title = "UTKFace in the wild (uncropped)"
    expects = "part1, part2, part3 with images named [age]_[gender]_[race]_[date].jpg"
    border = None
    mirrored_together = True

    def why_not(self, source: Source) -> Refusal | None:
        images = source.images()
        if not images:
            return Refusal("no image in it")
        wild = [name for name in images if in_the_wild(name)]
        if len(wild) < RECOGNISED_SHARE * len(images):
            return Refusal("most images do not lie in part1, part2, part3, or are chips")
        parsed = sum(parse(name.rsplit("/", 1)[-1]) is not None for name in wild)
        if parsed < RECOGNISED_SHARE * len(wild):
            return Refusal(f"only {parsed} of {len(wild)} image names read [age]_[gender]_[race]_[date]")
        return None
