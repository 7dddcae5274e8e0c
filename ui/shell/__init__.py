"""What surrounds every page: navigation, the open audit, errors, downloads, caches."""
