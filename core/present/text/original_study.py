"""The study that this project began as, in words."""

from __future__ import annotations

#: What was studied and claimed, for who has never heard of it.
STUDY = (
    "Lookwhere began as a study of a ResNet-50 that was trained on one million male and one million female faces of "
    "MS1MV2 (photographs of celebrities), validated on a gender set from Kaggle, where it was right for 95 %, and "
    "tested on MORPH (mug shots), where it was right less often for one gender than for the other. Its claims: correct "
    "predictions rest on nose and mouth; incorrect ones show no pattern; the gap comes from training data without "
    "African-American women, or from lowering the learning rate by overall accuracy."
)
#: How a page goes on, above the study's figures.
STUDY_FIGURES = "*Findings* puts each of them to the open audit. On MORPH the study had these accuracies:"
#: What stands under its figures beside ours.
MORPH = (
    "The left figures are the original study's: ResNet-50 trained on 2M MS1MV2 faces and tested on MORPH, mug "
    "shots with ethnicities named by police records. Ours are of another model, another data set and other "
    "labels, put beside them for orientation, not as a repetition. «White» stands in for Caucasian, «Black» for "
    "African-American."
)
