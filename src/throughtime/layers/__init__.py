"""What stands around a cell: networks made of cells, and remedies that wrap any of them."""

from throughtime.layers.batch_normalisation import BatchNorm, unroll_batch
from throughtime.layers.eigenvalues import SignedEigenvalues
from throughtime.layers.network import RecurrentNetwork, network_config, network_from_config
from throughtime.layers.noise import RandomCell, VariationalDropout, Zoneout, drawn, unroll_drawn
from throughtime.layers.normalisation import LayerNorm
from throughtime.layers.residual import Residual
from throughtime.layers.stack import Block, FeedForward, Stack, StackedNetwork

__all__ = [
    "BatchNorm",
    "Block",
    "FeedForward",
    "LayerNorm",
    "RandomCell",
    "RecurrentNetwork",
    "Residual",
    "SignedEigenvalues",
    "Stack",
    "StackedNetwork",
    "VariationalDropout",
    "Zoneout",
    "drawn",
    "network_config",
    "network_from_config",
    "unroll_batch",
    "unroll_drawn",
]
