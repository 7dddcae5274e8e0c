"""What the tests share: made data, made models and audits, the shipped study, and ways to look at a page."""
