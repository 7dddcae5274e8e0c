"""Explanation checks of an audit's maps: sanity (MPRT), faithfulness (deletion, ROAD, hidden regions), agreement.

The modules here measure: `run` runs each with the network and torch, `results` stores what they measured.
`definitions` judges: one class a check, with its rule, verdict and words, read from `results` without torch.
All that is stored is averaged over 11 and more faces.
"""
