"""One image of a person's own: decoded in memory, its faces found, classified and placed among the audited ones."""
