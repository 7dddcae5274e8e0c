"""Is the map to be trusted? Checks of an audit's maps: `run` makes them with the network, `folder` reads them without
torch, `report` says what they say. All that is stored is averaged over 11 and more faces."""
