"""Commands for the monitors of a cluster, which are a plugin of kubectl too."""
