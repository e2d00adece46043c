"""What stands around a cell: networks made of cells, and remedies that wrap any of them."""

from throughtime.layers.network import RecurrentNetwork, network_config, network_from_config

__all__ = ["RecurrentNetwork", "network_config", "network_from_config"]
