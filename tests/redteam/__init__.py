"""Kills and power cuts during first starts: each acknowledged write must survive."""
