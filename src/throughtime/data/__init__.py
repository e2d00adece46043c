"""Data: from files and dataframes to arrays on the device.

In: CSV, Parquet, or a frame of pandas, polars or pyarrow. Out: a :class:`Panel`, and windows of it that a compiled
program draws. Never: a network. Columns, time stamps and missing values are settled here, so that later stages see
regular series only. Reading imports neither JAX nor pandas; scaling, windows and encoding do import JAX.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
