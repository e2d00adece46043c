from .axis import TimeAxis as TimeAxis
from .axis import time_axis as time_axis
from .content import ForecastContent as ForecastContent
from .content import backtest_content as backtest_content
from .content import forecast_content as forecast_content
from .content import model_label as model_label
from .page import render as render
from .page import template as template
