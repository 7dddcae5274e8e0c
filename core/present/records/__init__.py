"""The commands' results as plain values, for `--json`: the numbers of the text, unrounded. Keys: docs/json.md."""
