"""Training: `config`, `augment`, the `loop`, its `record` for others to read, and `resume`."""
