from .cells import GRU as GRU
from .cells import LSTM as LSTM
from .cells import Cell as Cell
from .cells import Elman as Elman
from .cells import ElmanState as ElmanState
from .cells import GRUState as GRUState
from .cells import LSTMState as LSTMState
from .contracts import check_cell as check_cell
from .data.panel import Panel as Panel
from .data.readers import read_panel as read_panel
from .data.synthetic import TimeSeriesData as TimeSeriesData
from .errors import InputError as InputError
from .forecasting.forecaster import Forecaster as Forecaster
from .forecasting.rollout import rollout as rollout
from .layers import RecurrentNetwork as RecurrentNetwork
from .loading import load as load
from .recurrence import unroll as unroll

__version__: str
