"""Options whose help is read from a registry when it is asked for, so that other commands need not import it."""

from __future__ import annotations

from tyro.conf import arg


def _maps(_default: object) -> str:
    from core.explain.methods import help_words

    return f"(one of {help_words()}; or none)"


def _methods(_default: object) -> str:
    from core.explain.methods import REGISTRY, ClosedForm

    return f"(of {', '.join(key for key, kind in REGISTRY.items() if kind is not ClosedForm)})"


def _parts(_default: object) -> str:
    from core.checks.definitions import ALL_PARTS

    return f"(of {', '.join(ALL_PARTS)})"


#: A method of attribution for an audit's maps, and several to compare with the closed form.
MAPS = arg(metavar="METHOD", help_behavior_hint=_maps)
METHODS = arg(metavar="METHOD [METHOD ...]", help_behavior_hint=_methods)
#: The parts of a run of checks.
PARTS = arg(metavar="PART [PART ...]", help_behavior_hint=_parts)
