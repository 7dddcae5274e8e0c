"""Maps of groups: means, differences, dispersion, evidence by region, error clusters."""
