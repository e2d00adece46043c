"""The pretrained network on real series: the windows, their scores, and the cost of a forecast."""
