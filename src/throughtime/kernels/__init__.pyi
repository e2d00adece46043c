from .autodiff import native_unroll as native_unroll
from .library import Availability as Availability
from .library import available as available
from .library import off as off
from .linear import coefficient_dtypes as coefficient_dtypes
from .linear import native_recurrence as native_recurrence
from .support import why_no_kernel as why_no_kernel
