"""What stands around a cell: networks made of cells, and remedies that wrap any of them."""

from throughtime.layers.network import RecurrentNetwork, network_config, network_from_config
from throughtime.layers.stack import Block, Stack, StackedNetwork

__all__ = ["Block", "RecurrentNetwork", "Stack", "StackedNetwork", "network_config", "network_from_config"]
