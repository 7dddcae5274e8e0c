"""An audit: a store put through a model. `run` makes the folder, `folder` reads it without torch, `averages` are its
pixel means by cell."""
