from .cells import GRU as GRU
from .cells import LSTM as LSTM
from .cells import Cell as Cell
from .cells import Elman as Elman
from .cells import ElmanState as ElmanState
from .cells import GRUState as GRUState
from .cells import LSTMState as LSTMState
from .contracts import check_cell as check_cell
from .errors import InputError as InputError
from .recurrence import unroll as unroll

__version__: str
