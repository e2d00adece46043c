"""Models as ONNX files, and recurrent networks from them."""

from importlib import import_module
from pathlib import Path
from typing import Any

from throughtime._errors import not_installed


def to_onnx(model: Any, path: str | Path, *, lengths: bool = False) -> None:
    """Write a model to an ONNX file, which other runtimes run without Python.

    A cell that ONNX has an operator for becomes that operator: an ``Elman`` with an activation of the library's table,
    ``GRU``, ``ResetFirstGRU``, ``LSTM``. Any other cell, your own too, becomes a ``Scan`` over its step. Batch and time
    are free.

    ==================  ===================  =======================================================================
    input               shape
    ==================  ===================  =======================================================================
    ``xs``              (B, T, D) or (B, T)  the sequences, float32, or tokens, int32
    ``lengths``         (B,)                 with ``lengths=True``: the steps of each sequence before its padding
    ``state....``       (B, ...)             the states to start from; without them the model's own. The names are
                                             those of the model's state: ``state.h``, ``state.0.forward.c``
    ==================  ===================  =======================================================================

    The outputs are ``ys``, what the model returns, and ``last_state....``, which another call continues from. ONNX
    Runtime warns of inputs that may be left out; nothing is slower for it.

    A :class:`throughtime.Forecaster` with trained networks reads raw values and gives the quantiles of its ``predict``:

    ==================  ===================  =======================================================================
    ``values``          (B, T)               float64, oldest first; NaN where missing, and before a series begins
    ``quantiles``       (B, F, Q)            float64, at the levels in the file's metadata, ``levels``; NaN for a
                                             series that is too short for the trained networks
    ==================  ===================  =======================================================================

    Args:
        model: a cell, a layer, a network of layers with a readout, or a fitted forecaster. Noise of training is left
            out, and weights are written as float32.
        path: the file.
        lengths: if sequences of different lengths come padded at the end; steps after the end give zeros.

    Raises:
        InputError: for anything else, for primitives of JAX without a translation, for ``lengths`` of a layer that
            reads backward over a stack, and for a forecaster in which the pretrained network, covariates, or a head
            other than "quantiles" and "normal" takes part.
    """
    _part("to_onnx", "exporting").write_model(model, path, lengths)


def from_onnx(path: str | Path) -> Any:
    """Return the recurrent network in an ONNX file: operators RNN, GRU and LSTM, one after the other, and a readout.

    One operator is a cell, a :class:`throughtime.Reversed` or a :class:`throughtime.Bidirectional`; several are a
    :class:`throughtime.Stack`. With a ``MatMul`` and ``Add``, or a ``Gemm``, after them it is a
    :class:`throughtime.ManyToMany`, or of the last output a :class:`throughtime.ManyToOne`. Sequences are (B, T, D)
    here, whatever the file's ``layout``; ``sequence_lens`` is ``mask=``, and states that are inputs of the file are
    ``state=``. Initial states in the file become a :class:`throughtime.LearnedInitialState`.

    A ``GRU`` is a :class:`throughtime.GRU` with ``linear_before_reset=1``, and a :class:`throughtime.ResetFirstGRU`
    without. An ``RNN`` may have any activation of ONNX, and ``clip``.

    Args:
        path: the file. It is read as data: no code of it runs, and arrays in other files must lie in its folder.

    Raises:
        InputError: for a file that is truncated, foreign or inconsistent; for peepholes, ``input_forget``, ``clip`` and
            other activations of a GRU or an LSTM, and lengths or different initial states that are fixed in the file;
            and for any other operator between the layers.
    """
    return _part("from_onnx", "importing").read_network(path)


def _part(function: str, name: str) -> Any:
    """Return the module that does the work of a function.

    Raises:
        InputError: if the library onnx is not installed.
    """
    try:
        return import_module(f"throughtime.interop.onnx.{name}")
    except ModuleNotFoundError as error:
        raise not_installed(function, error, "onnx") from error
