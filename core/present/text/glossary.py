"""The app's terms, each in a sentence or two that is true of every audit."""

from __future__ import annotations

import re

from core.task import GENDER, Task

_TERMS = {
    "accuracy": (
        "The share of faces for which the model's answer is their label. It is of the faces shown and of nothing else."
    ),
    "aligned face": (
        "A face turned, scaled and moved so that eyes, nose and mouth lie at fixed places of a square. What "
        "lies outside the square, such as chin and long hair, the model does not see."
    ),
    "arm": "Networks that were trained in one way. Two arms differ in that way alone, such as in the faces trained on.",
    "audit": "One run of a model over a set of faces: its predictions, its maps where it has any, and average faces.",
    "average face": "The mean of many aligned faces, pixel by pixel. It shows what they share, and none of them.",
    "bias": "The part of a logit that the model adds to every face, whatever the image shows.",
    "bootstrap": (
        "An interval by drawing the faces again and again, each time as many as there are and some twice: how much the "
        "result moves is its uncertainty."
    ),
    "calibration": (
        "Whether the model is right as often as its probability says: of faces called with 80 %, four in five."
    ),
    "cell": "One square of a heatmap's grid. It covers several pixels, and sees beyond its edge.",
    "closed form": (
        "A map computed by a formula from the last layer, without hiding anything and without gradients. It is exact "
        "for a network that ends in an average and one linear layer."
    ),
    "confidence interval": (
        "A range made by a rule that holds the true value in 95 of 100 repetitions, written in square brackets. Few "
        "faces make it wide."
    ),
    "control arm": (
        "Networks whose training was changed in another way, to see whether any change would do what the one in "
        "question does."
    ),
    "corrected": (
        "Said of a p-value or interval that allows for how many were looked at: of many, some stand out by chance."
    ),
    "epoch": "One of the rounds in which a network is trained and then tried on validation faces.",
    "equal ages": (
        "Said of groups as they would compare if each had the ages of all faces: worked out by a model of accuracy by "
        "age, not counted."
    ),
    "ethnicity": "The group that a data set's annotators saw in an image, under the name they gave it.",
    "evidence": (
        "How much a place in the image speaks for a class, in logits. Where maps add up, all places and the "
        "bias give the logit."
    ),
    "exploratory": "Found by looking through many groups or filters. It is a reason to test anew, and no result.",
    "gap": (
        "The accuracy of one group less that of another, in points. The largest of several gaps overstates "
        "the true one."
    ),
    "gender": (
        "One of two classes that a data set's annotators gave an image. It need not be what the person would say."
    ),
    "Grad-CAM": (
        "A map of the image's places by their evidence for a class, from the network's last layer. Its cells "
        "are coarse."
    ),
    "Holm": (
        "A correction of several p-values: the smallest is multiplied by how many there are, the next by one less, and "
        "so on."
    ),
    "label": (
        "What the data set says of an image. Labels can be wrong, and a model is then counted wrong for being right."
    ),
    "logit": "The model's score of a class. The larger of the two decides; their difference is the margin.",
    "margin": "The logit for {first} less that for {second}. Near zero the model is unsure.",
    "McNemar": (
        "A test of two models on the same faces. It counts only the faces that one of them has right and the other "
        "wrong."
    ),
    "near-copy": "The same photograph cropped, scaled or encoded anew.",
    "Newcombe": "An interval for the difference of two shares. It holds for few faces and for shares near 100 % too.",
    "occlusion": "A map made by hiding one place after another and noting what the answer loses.",
    "odds ratio": "How many times the odds of a correct answer are those of another group; 1 is no difference.",
    "p-value": (
        "How often chance alone would make a difference at least as large. A large one does not show that "
        "there is none."
    ),
    "permutation test": (
        "A test that shuffles which face belongs to which group, many times, and counts how often chance alone does as "
        "much."
    ),
    "point": "One percentage point of accuracy: from 90 % to 92 % are two points.",
    "ROC": "The curve of how many of one class are found against how many of the other are taken for it.",
    "seed": "The number that a random draw begins with. Training once more with another one gives another network.",
    "simultaneous": (
        "Said of intervals that hold for all groups shown together, so that looking for the worst is allowed."
    ),
    "Student's t": "A way to an interval from very few values, such as three networks. It is wide for that reason.",
    "test split": "Faces that were kept from training and from every choice made in it.",
    "threshold": (
        "Where the probability of {second} reaches the threshold, the answer is {second}. "
        "It is one half unless it is moved."
    ),
    "Wilson": "An interval for one share, such as an accuracy. It holds for few faces and for shares near 100 % too.",
    "Šidák": "A correction of intervals or p-values for how many there are, so that all hold together.",
}

#: How a term is written in a sentence, where that is not the term itself or with an s.
_FORMS = {
    "accuracy": r"accurac(?:y|ies)",
    "calibration": r"calibrat(?:ion|ed)",
    "confidence interval": r"(?:confidence )?intervals?",
    "corrected": r"corrected|correction",
    "bootstrap": r"bootstrap(?:ped)?|resampled|resampling",
    "ethnicity": r"ethnicit(?:y|ies)",
    "Holm": r"Holm(?:'s)?",
    "label": r"label(?:s|led)?",
    "McNemar": r"McNemar(?:'s)?",
    "near-copy": r"near-cop(?:y|ies)",
    "Newcombe": r"Newcombe(?:'s)?",
    "p-value": r"p-values?|p [=<] \d",
    "ROC": r"ROC",
    "Student's t": r"Student's(?: t)?",
    "Šidák": r"Šidák(?:'s)?",
    "Wilson": r"Wilson(?:'s)?",
    "simultaneous": r"simultaneous|hold for all \w+(?: of [^.;]{1,40})? at once",
}
_CODE = re.compile(r"`[^`]*`|\]\([^)]*\)")


def terms_in(text: str) -> list[str]:
    """The glossary's terms that a text uses, in its order; what stands in code or in an address is none."""
    words = _CODE.sub(" ", text).replace("\u00a0", " ")
    hits = {term: hit.start() for term in _TERMS if (hit := _pattern(term).search(words))}
    return sorted(hits, key=lambda term: hits[term])


def _pattern(term: str) -> re.Pattern[str]:
    form = _FORMS.get(term, re.escape(term) + "s?")
    return re.compile(rf"(?<![\w-])(?:{form})(?!\w|-\w)", 0 if term.isupper() else re.IGNORECASE)


def glossary(task: Task = GENDER) -> dict[str, str]:
    """The terms, of an audit of this task."""
    first, second = (task.said(name) for name in task.classes)
    return {term: words.replace("{first}", first).replace("{second}", second) for term, words in _TERMS.items()}
