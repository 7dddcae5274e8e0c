"""What is classified: the two classes, in the order of the logits."""

from __future__ import annotations

#: Class order everywhere: index 0 is female, index 1 is male (logits, evidence maps, confusion matrices).
GENDERS = ("female", "male")
