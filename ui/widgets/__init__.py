"""Controls and layout that pages share."""
