"""Panels of real series: what each is cut into, how it is scored, and how every model is run on it."""
