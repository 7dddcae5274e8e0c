"""`python -m train`: the command and its configs; the work is `core.training`'s."""
