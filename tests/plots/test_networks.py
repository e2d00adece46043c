"""What a notebook and a terminal show of networks: their parts with sizes and parameters, whatever they hold."""

import equinox as eqx
import jax
import numpy as np
import pytest
from tests.plots.pages import Shown

import throughtime as tt

D, H, V, O = 3, 4, 11, 2  # noqa: E741


def tagger():
    layers = [
        tt.Embedding(V, D, key=0),
        tt.Dropout(D, 0.1),
        tt.Bidirectional(tt.GRU(D, H, key=1), tt.LSTM(D, H, key=2)),
    ]
    return tt.ManyToMany(layers, O, key=3)


def translator():
    decoder = [tt.Embedding(V, D, key=0), tt.Residual(tt.GRU(D, D, key=1))]
    return tt.EncoderDecoder(tt.GRU(D, H, key=2), decoder, key=3)


def with_statistics():
    return tt.RecurrentNetwork(tt.BatchNorm(tt.LSTM(D, H, key=0), 5), O, key=1)


def test_a_network_is_a_table_of_its_parts():
    network = tagger()
    shown = Shown(network._repr_html_())
    assert shown.title == "ManyToMany, 11 tokens, 2 outputs"
    gru, lstm = 3 * H * (D + H + 1) + H, 4 * H * (D + H + 1)
    assert shown.tables == [
        [
            ["part", "kind", "outputs", "parameters"],
            ["layer.layers[0]", "Embedding", "3", f"{V * D}"],
            ["layer.layers[1]", "Dropout", "3", "0"],
            ["layer.layers[2]", "Bidirectional(GRU, LSTM)", "8", f"{gru + lstm}"],
            ["readout", "Linear", "2", f"{(2 * H + 1) * O}"],
            ["total", "", "", f"{tt.count_parameters(network)}"],
        ]
    ]
    assert tt.count_parameters(network) == V * D + gru + lstm + (2 * H + 1) * O
    rows = [line.split() for line in str(network.layer.layers[2]).splitlines()]
    assert rows[-3:] == [
        ["forward", "GRU", "4", f"{gru}"],
        ["backward", "LSTM", "4", f"{lstm}"],
        ["total", f"{gru + lstm}"],
    ]


@pytest.mark.parametrize("build", [tagger, translator, with_statistics])
def test_parts_are_named_as_they_are_reached(build):
    """Their parameters sum up to the total, which leaves out running statistics."""
    network = build()
    _, *rows, total = Shown(network._repr_html_()).tables[0]
    for name, _, _, count in rows:
        part = eval(f"network.{name}", {"network": network})
        assert int(count.replace(",", "")) == tt.count_parameters(part)
    assert sum(int(row[3].replace(",", "")) for row in rows) == int(total[3]) == tt.count_parameters(network)
    trained = jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array))
    statistics = 4 * 5 * 4 * H if build is with_statistics else 0
    assert tt.count_parameters(network) == sum(leaf.size for leaf in trained) - statistics
    assert tt.count_parameters(eqx.filter_eval_shape(build)) == tt.count_parameters(network)


def test_networks_without_weights_are_shown():
    """A half of a partition, shapes, and inside of a compiled program."""
    network = translator()
    for part in (eqx.filter(network, lambda leaf: False), eqx.filter_eval_shape(lambda: network)):
        assert str(part).startswith("EncoderDecoder")
    seen = []
    eqx.filter_jit(lambda network: seen.append((str(network), network._repr_html_())))(network)
    assert seen[0][0] == str(network)
    np.testing.assert_equal(seen[0][1], network._repr_html_())
    assert repr(network).startswith("EncoderDecoder(\n")
