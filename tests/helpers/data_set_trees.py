"""A small tree in the layout of each data set, as the published files are."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.datasets_made import jpeg, tree

CELEBA_ATTRIBUTES = [f"Attribute_{n}" for n in range(20)] + ["Male"] + [f"More_{n}" for n in range(18)] + ["Young"]
CELEBA_IMAGES = [f"img_align_celeba/{n:06}.jpg" for n in range(1, 5)]
CELEBA_MALE = (-1, 1, -1, 1)


def celeba(folder: Path, male: tuple[object, ...] = CELEBA_MALE, count: int | None = None) -> dict[str, str]:
    """Runs of spaces and a space at the line's end, as published."""
    lines = [str(len(male) if count is None else count), " ".join(CELEBA_ATTRIBUTES) + " "]
    for n, value in enumerate(male, 1):
        values = ["-1", " 1"] * 20
        values[20] = f"{value!s:>2}"
        lines.append(f"{n:06}.jpg {' '.join(values)}")
    files = {
        "list_attr_celeba.txt": "\r\n".join(lines) + "\r\n",
        "list_eval_partition.txt": "".join(f"{n:06}.jpg {(0, 0, 1, 2)[n - 1]}\n" for n in range(1, 5)),
        "identity_CelebA.txt": "".join(f"{n:06}.jpg {(2880, 2880, 7, 8)[n - 1]}\n" for n in range(1, 5)),
    }
    tree(tree(folder, files), CELEBA_IMAGES)
    return files


def celeba_of_kaggle(folder: Path, male: tuple[object, ...] = CELEBA_MALE) -> Path:
    rows = [
        f"{n:06}.jpg," + ",".join("1" if a != "Male" else str(male[n - 1]) for a in CELEBA_ATTRIBUTES)
        for n in range(1, 5)
    ]
    files = {
        "list_attr_celeba.csv": "\n".join([",".join(["image_id", *CELEBA_ATTRIBUTES]), *rows]),
        "list_eval_partition.csv": "image_id,partition\n"
        + "".join(f"{n:06}.jpg,{(0, 0, 1, 2)[n - 1]}\n" for n in range(1, 5)),
        "list_bbox_celeba.csv": "image_id,x_1,y_1,width,height\n000001.jpg,95,71,226,313\n",
    }
    return tree(tree(folder, files), [f"img_align_celeba/{name}" for name in CELEBA_IMAGES])


FAIRFACE_HEADER = "file,age,gender,race,service_test\n"
FAIRFACE_MARGIN = "fairface-img-margin025-trainval/"
FAIRFACE_TRAIN = ("train/1.jpg,50-59,Male,East Asian,True", "train/2.jpg,30-39,Female,Indian,False")
FAIRFACE_VAL = ("val/1.jpg,3-9,Male,East Asian,False",)


def fairface(
    folder: Path,
    train: tuple[str, ...] = FAIRFACE_TRAIN,
    val: tuple[str, ...] = FAIRFACE_VAL,
    margin: str = FAIRFACE_MARGIN,
    side: int = 8,
) -> Path:
    names = [margin + line.partition(",")[0] for line in (*train, *val)]
    tree(folder, dict.fromkeys(names, jpeg(side)))
    for split, lines in (("train", train), ("val", val)):
        tree(folder, {f"fairface_label_{split}.csv": FAIRFACE_HEADER + "".join(f"{line}\n" for line in lines)})
    return folder


KAGGLE = [
    "Training/female/112944.jpg.jpg",
    "Training/female/7.jpg",
    "Training/male/112944.jpg.jpg",
    "Validation/female/112944.jpg.jpg",
    "Validation/male/9.jpg",
]

LFW_IMAGES = ["lfw/Ada_L_0001.jpg", "lfw/Ada_L_0002.jpg", "lfw/Bob_0001.jpg", "lfw/Eve_0001.jpg", "lfw/Kim_0001.jpg"]


def lfw(folder: Path) -> Path:
    """Kim is in neither list, Eve in both."""
    lists = {
        "female_names.txt": "Ada_L_0001.jpg\nAda_L_0002.jpg\nEve_0001.jpg\n\n",
        "male_names.txt": "Bob_0001.jpg\r\nBob_0002.jpg\r\nEve_0001.jpg",
    }
    return tree(tree(folder, LFW_IMAGES), lists)


def london(folder: Path) -> Path:
    info = "face_id,face_age,face_gender,face_eth\n001,24,female,white\n002,NA,male,east_asian/white\n"
    return tree(tree(folder, ["neutral_front/001_03.jpg", "neutral_front/002_03.jpg"]), {"london_info.csv": info})


MANIFEST = "path,gender,ethnicity,age,identity,split\na/1.jpg,female,Sámi,34,p1,train\nb/2.png,male,,,p2,test\n"


def manifest(
    folder: Path, content: str = MANIFEST, name: str = "manifest.csv", pictures: list[str] | None = None
) -> Path:
    base = name.rpartition("/")[0]
    tree(folder, [f"{base}/{file}".lstrip("/") for file in pictures or ["a/1.jpg", "b/2.png"]])
    return tree(folder, {name: content})


MORPH_HEADER = "id_num,picture_num,dob,doa,race,gender,facial_hair,age,age_diff,glasses,photo\n"
MORPH_CSV = "morph_2008_nonCommercial.csv"


def morph_row(
    photo: str, id_num: int, race: str = "B", gender: str = "M", age: str = "34", dob: str = "03/05/1970"
) -> str:
    """A row as published: `facial_hair`, `age_diff` and `glasses` are empty."""
    return f"{id_num},0,{dob},11/27/2004,{race},{gender},,{age},,,Album2/{photo}\n"


UTKFACE_DATE = "20170112213500903"
UTKFACE_PHOTOS = [
    f"part1/1_0_0_{UTKFACE_DATE}.jpg",
    f"part2/30_1_3_{UTKFACE_DATE}.JPG",
    f"part3/55_1_4_{UTKFACE_DATE}.jpg",
]

VGGFACE2_META = """Class_ID, Name, Sample_Num, Flag, Gender
n000001, "14th_Dalai_Lama", 424, 0, m
n000002, "A_Fine_Frenzy", 315, 1, f
n000003, "Smith, John, Jr.", 205, 1, m
n000004, Say "Hello", Wave, 99, 0, f
n000005, "Élan_Vital",10,1,F
"""
VGGFACE2_IMAGES = ["n000001/0001_01.jpg", "n000002/0001_01.jpg", "n000002/0002_01.jpg", "n000003/0001_01.jpg"]
VGGFACE2_IMAGES += ["n000004/0001_01.jpg", "n000005/0001_01.jpg"]


def vggface2(folder: Path, meta: str | None = VGGFACE2_META, above: str = "") -> Path:
    tree(folder, [above + name for name in VGGFACE2_IMAGES])
    return tree(folder, {"identity_meta.csv": meta} if meta else {})
