"""The attribution methods, in the order in which they are listed; whoever needs one takes it from here.

A method is a class that says what it is called, what it needs of a classifier, what it costs and how its maps are read,
and that overrides `explain`. `@register` puts it into `REGISTRY`; its module is imported here, and nothing else has to
be told. No torch is needed here.
"""

from __future__ import annotations

from core.explain.registry import REGISTRY, choose, from_record, help_words, key_of, method, register, stored, usable

# isort: off
from core.explain.closed_form import UNTOLD, ClosedForm
from core.explain.hiding import Occlusion, Perturbation, Rise
from core.explain.library_methods import FinerCam, FullGrad, GradCam, HiResCam, LibraryCam, RandomCam, XGradCam
# isort: on

__all__ = [
    "REGISTRY",
    "UNTOLD",
    "ClosedForm",
    "FinerCam",
    "FullGrad",
    "GradCam",
    "HiResCam",
    "LibraryCam",
    "Occlusion",
    "Perturbation",
    "RandomCam",
    "Rise",
    "XGradCam",
    "choose",
    "from_record",
    "help_words",
    "key_of",
    "method",
    "register",
    "stored",
    "usable",
]
