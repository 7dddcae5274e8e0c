"""The app's terms, each in a sentence or two that is true of every audit."""

from __future__ import annotations

from core.task import GENDER, Task

_TERMS = {
    "accuracy": "The share of faces whose label the model gives. It is of the faces shown and of nothing else.",
    "aligned face": (
        "A face turned, scaled and moved so that eyes, nose and mouth lie at fixed places of a square. What "
        "lies outside the square, such as chin and long hair, the model does not see."
    ),
    "audit": "One run of a model over a set of faces: its predictions, its maps where it has any, and average faces.",
    "average face": "The mean of many aligned faces, pixel by pixel. It shows what they share, and none of them.",
    "bias": "The part of a logit that the model adds to every face, whatever the image shows.",
    "calibration": (
        "Whether the model is right as often as its probability says: of faces called with 80 %, four in five."
    ),
    "confidence interval": (
        "A range made by a rule that holds the true value in 95 of 100 repetitions. Few faces make it wide."
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
    "label": (
        "What the data set says of an image. Labels can be wrong, and a model is then counted wrong for being right."
    ),
    "logit": "The model's score of a class. The larger of the two decides; their difference is the margin.",
    "margin": "The logit for {first} less that for {second}. Near zero the model is unsure.",
    "near-copy": "The same photograph cropped, scaled or encoded anew.",
    "p-value": (
        "How often chance alone would make a difference at least as large. A large one does not show that "
        "there is none."
    ),
    "point": "One hundredth of an accuracy: from 90 % to 92 % are two points.",
    "simultaneous": (
        "Said of intervals that hold for all groups shown together, so that looking for the worst is allowed."
    ),
    "test split": "Faces that were kept from training and from every choice made in it.",
    "threshold": (
        "The probability of {second} from which on the model's answer counts as {second}, one half unless it is moved."
    ),
}


def glossary(task: Task = GENDER) -> dict[str, str]:
    """The terms, of an audit of this task."""
    first, second = (task.said(name) for name in task.classes)
    return {term: words.replace("{first}", first).replace("{second}", second) for term, words in _TERMS.items()}
