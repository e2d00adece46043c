"""What flows back through time, measured."""

from throughtime.gradients.flow import GradientFlow
from throughtime.gradients.gradient_flow import gradient_flow
from throughtime.gradients.regulariser import vanishing_regulariser

__all__ = ["GradientFlow", "gradient_flow", "vanishing_regulariser"]
