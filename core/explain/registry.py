"""The one registry of attribution methods, which commands, audits, checks, cards and pages read.

`@register` puts a method's class into `REGISTRY`. `core.explain.methods` imports every module that registers some, so
whoever looks a method up takes these functions from there. No torch is needed here.
"""

from __future__ import annotations

from core.errors import LookwhereError
from core.explain.method import AttributionMethod, Explainable, Needs

#: Every method by its key, in the order in which they are listed.
REGISTRY: dict[str, type[AttributionMethod]] = {}


def key_of(name: str) -> str:
    """A method's name as a command takes it: «closed form» → `closed-form`, «RISE» → `rise`."""
    return name.strip().lower().replace(" ", "-")


def register(kind: type[AttributionMethod]) -> type[AttributionMethod]:
    """Class decorator: put a method into `REGISTRY`. Raises `LookwhereError` where another has its name."""
    if key_of(kind.name) in REGISTRY:
        raise LookwhereError(f"an attribution method named {kind.name} is registered already")
    REGISTRY[key_of(kind.name)] = kind
    return kind


def method(name: str, origin: str = "--maps") -> type[AttributionMethod]:
    """The method of a name or key, in any case. Raises `LookwhereError` naming `origin` and the known ones."""
    kind = REGISTRY.get(key_of(name))
    if kind is None:
        raise LookwhereError(f"{origin} {name}: unknown; there are {', '.join(REGISTRY)}")
    return kind


def usable(classifier: Explainable) -> list[str]:
    """Keys of the methods that can make an audit's maps of a classifier."""
    return [key for key, kind in REGISTRY.items() if kind.why_not(classifier) is None]


def choose(name: str, classifier: Explainable, origin: str = "--maps") -> AttributionMethod:
    """The method, ready for a classifier. Raises `LookwhereError` where it is unknown or cannot be used."""
    kind = method(name, origin)
    if why := kind.why_not(classifier):
        raise LookwhereError(f"{origin} {name}: {why}; usable here are {', '.join(usable(classifier))}")
    return kind()


def from_record(record: dict, origin: str) -> AttributionMethod:
    """The method that `AttributionMethod.record` described, with its options. Raises `LookwhereError` for another."""
    kind = method(record["method"], f"{origin}: maps by")
    options = {key: record[key] for key in kind.option_names() if key in record}
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in options.items()})


def stored(name: str) -> type[AttributionMethod]:
    """The method that a manifest names, for its words; one that is registered no more has the words of any."""
    unknown = {
        "name": name,
        "needs": Needs.LAYERS,
        "additive": False,
        "passes": 0,
        "cost": "unknown",
        "paper": "unknown",
    }
    return REGISTRY.get(key_of(name)) or type("Unregistered", (AttributionMethod,), unknown)


def help_words() -> str:
    """For a command's help: the methods that can make an audit's maps, with their passes a face."""
    return ", ".join(f"{key} {kind.passes:,}" for key, kind in REGISTRY.items() if not kind.comparison_only)
