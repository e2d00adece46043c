"""Partitions: panels larger than memory, fitted and forecast one partition after the other, or many at a time.

In: a folder of Parquet files, and a forecaster. Out: the forecaster, fitted on all partitions within a limit of memory;
a folder of Parquet files with a result for each partition. An engine decides where partitions are worked on: in this
process, or by Ray. Never: a forecast of its own, a communication between partitions.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
