"""Panels of real series: their splits, their scores, and the runs of every model."""
