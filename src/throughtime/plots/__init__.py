"""Pictures: matplotlib figures and notebook displays of everything that can be drawn.

In: records and arrays. Out: figures and HTML. Never: a computation whose numbers are needed
elsewhere. It is the one room that lower rooms import upward, inside ``plot``, ``_repr_html_``, ``__str__`` and
``__repr__``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
