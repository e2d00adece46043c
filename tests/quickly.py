"""Settings under which JAX lowers many small programs faster: of the tests' process, and of one that runs pages."""

import functools
import gc

from jax._src.interpreters import mlir

# Loading MLIR's dialects is most of the work of lowering a small program: all programs share one context.
mlir.make_ir_context = functools.cache(mlir.make_ir_context)

# Tracing makes many objects, almost all of which die without a search for garbage.
gc.set_threshold(20_000, 20, 50)
