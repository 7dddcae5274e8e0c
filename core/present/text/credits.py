"""Whose faces are shown: the data sets that Lookwhere reads, who made them, and on what terms."""

from __future__ import annotations

from core.data.store_names import OF_ANYBODY

CREDITS = {
    "utkface": "UTKFace (Zhang, Song and Qi 2017), for non-commercial research; its images may not be passed on",
    "utkface-wild": "UTKFace (Zhang, Song and Qi 2017), for non-commercial research; its images may not be passed on",
    "fairface": "FairFace (Kärkkäinen and Joo 2021), CC BY 4.0; averages shown here are made from its images",
    "lfw": "Labeled Faces in the Wild (Huang et al. 2007), news photographs, for research",
    "all-age-faces": "All-Age-Faces (Cheng et al. 2019), for academic research",
    "london": "Face Research Lab London Set (DeBruine and Jones 2017), CC BY 4.0, with the pictured people's consent",
    "morph": "MORPH-II, Album 2 (Ricanek and Tesafaye 2006), for non-commercial use under its licence",
    "celeba": "CelebA (Liu et al. 2015), for non-commercial research",
    "vggface2": "VGGFace2 (Cao et al. 2018), for research",
    "kaggle-gender": "a gender set from Kaggle, whose terms its publisher does not state",
    "insightface": "a RecordIO pack of InsightFace, such as MS1MV2 (Deng et al. 2019), for non-commercial research",
}

#: What data of one's own are called.
OWN_DATA = "a data set of one's own"
#: The data sets' own names, as sentences have them.
NAMES = {
    "utkface": "UTKFace",
    "utkface-wild": "UTKFace in the wild",
    "fairface": "FairFace",
    "lfw": "LFW",
    "all-age-faces": "All-Age-Faces",
    "london": "the London set",
    "morph": "MORPH",
    "celeba": "CelebA",
    "vggface2": "VGGFace2",
    "kaggle-gender": "Kaggle's gender set",
    "insightface": "MS1MV2",
}


def data_set_title(dataset: str) -> str:
    """A data set's own name, the parts of a joined one too; what is not known here keeps the name it was given."""
    return " + ".join(" ".join([NAMES.get(name, name), *folder]) for name, *folder in map(_apart, dataset.split(" + ")))


def data_set_words(dataset: str) -> str:
    """A data set as a sentence has it: its own name, or that it is one's own where its layout names none."""
    parts = [(*_apart(name), name) for name in dataset.split(" + ")]
    words = [OWN_DATA if name in OF_ANYBODY else data_set_title(whole) for name, *_, whole in parts]
    return " + ".join(words)


def credit(dataset: str) -> str | None:
    """Who made a data set and on what terms, None where it is not known here; a joined name gives all of its parts."""
    names = (_apart(name)[0] for name in dataset.split(" + "))
    return "; ".join(dict.fromkeys(CREDITS[name] for name in names if name in CREDITS)) or None


def _apart(name: str) -> list[str]:
    """A known data set's name and the folder that follows it where a model was trained on two of that name; else the
    name as it is."""
    reader, space, folder = name.partition(" ")
    return [reader, folder] if space and reader in CREDITS else [name]
