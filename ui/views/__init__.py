"""One view a page: controls, one call, drawing."""
