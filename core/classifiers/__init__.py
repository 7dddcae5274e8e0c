"""Classifiers: our ResNet-50 and imported models, one protocol for all."""
