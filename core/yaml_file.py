"""Small YAML files that a person wrote, read within bounds: what unfolds to more than is written there is refused."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from core.errors import LookwhereError
from core.files import read_bounded

#: Bytes of a file, characters of one value, and lists or mappings within each other, at the most.
LARGEST, LONGEST, DEEPEST = 1_000_000, 10_000, 50
#: Digits of a number: more name no setting, and Python takes long over millions.
DIGITS = 40


#: Half of a sign of two halves, as JSON and YAML may write it.
_HALF = re.compile("[\ud800-\udfff]")


def read_yaml(file: Path, as_written: bool = False) -> object:
    """The content of a YAML file. Raises `LookwhereError`, in one line, where it is none or beyond the bounds.

    With `as_written` every value is the text that is written there: `No` and `1` may be names.

    Anchors, aliases and merges are refused: a few lines of them unfold to gigabytes. A key that stands twice in one
    mapping is refused too: YAML would keep the last.
    """
    try:
        text = read_bounded(file, LARGEST).decode("utf-8")
        _check(text)
        loader = (yaml.BaseLoader if as_written else yaml.SafeLoader)(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            try:
                _check_keys(loader, node)
                return loader.construct_document(node)
            except (AttributeError, LookupError, TypeError) as error:  # as `!!bool x` makes PyYAML raise
                raise ValueError("a value is none of the kind that its tag (!!) names") from error
        finally:
            loader.dispose()
    except (OSError, ValueError, RecursionError, OverflowError, yaml.YAMLError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise LookwhereError(f"{file}: not a readable YAML file ({why})") from error


def _check(text: str) -> None:
    """Raises `ValueError` or `yaml.YAMLError` naming the line; nothing is built yet."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise ValueError(f"line {line}: anchors (&) and aliases (*) are not taken; write it out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent):
            if len(event.value) > LONGEST:
                raise ValueError(f"line {line}: a value of {len(event.value):,} characters")
            if _HALF.search(event.value):
                raise ValueError(f"line {line}: half a sign, which nothing can show")
            if event.implicit[0] and len(event.value) > DIGITS and _number(event.value):
                raise ValueError(f"line {line}: a number of {len(event.value):,} characters")
        if depth > DEEPEST:
            raise ValueError(f"line {line}: more than {DEEPEST} lists or mappings within each other")


def _check_keys(loader: yaml.BaseLoader | yaml.SafeLoader, node: yaml.Node) -> None:
    """Raises `ValueError` naming the key that a mapping has twice, and both lines."""
    if isinstance(node, yaml.SequenceNode):
        for member in node.value:
            _check_keys(loader, member)
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[object, int] = {}
    for key, member in node.value:
        if isinstance(key, yaml.ScalarNode):
            name, line = loader.construct_object(key), key.start_mark.line + 1
            if name in lines:
                first = lines[name]
                raise ValueError(f"line {line}: the key {key.value[:100]!r} is there twice, first in line {first}")
            lines[name] = line
        _check_keys(loader, member)


def _number(value: str) -> bool:
    """Whether YAML would make a whole number of it, of any base."""
    resolvers = yaml.SafeLoader.yaml_implicit_resolvers.get(value[0], [])
    return any(tag == "tag:yaml.org,2002:int" and pattern.match(value) for tag, pattern in resolvers)
