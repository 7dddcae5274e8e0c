"""Present: results as words, figures, card, report and export files."""
