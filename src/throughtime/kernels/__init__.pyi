from .autodiff import native as native
from .autodiff import serves as serves
from .library import Availability as Availability
from .library import available as available
from .library import off as off
from .linear import serves_linear as serves_linear
from .linear import states as states
