"""Analysis: statistics of an audit; no words, no figures."""
