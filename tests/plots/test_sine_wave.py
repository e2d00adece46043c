"""The notebook's pictures show the numbers that they are given, at their size, and differ where those differ."""

import matplotlib as mpl
import matplotlib.image
import numpy as np
import pytest
from matplotlib.figure import Figure

import throughtime as tt
from throughtime.plots import sine_wave as plots

T, N = 7, 5


@pytest.fixture(scope="module")
def data():
    return tt.TimeSeriesData(num_points=40, xmin=0, xmax=8, fn=np.sin)


@pytest.fixture(scope="module")
def instance(data):
    """Times (T + 1,), inputs (T, 1), targets (T, 1)."""
    xs, targets, times = data.instance(3.0, T)
    return times, xs, targets


@pytest.fixture
def figures(monkeypatch):
    """Every figure that is saved, by the file's name; the files are written too."""
    saved, savefig = {}, Figure.savefig

    def keep(figure, path):
        saved[path.name] = figure
        savefig(figure, path)

    monkeypatch.setattr(Figure, "savefig", keep)
    return saved


def lines(figure, panel=0):
    """What a panel shows: x and y by the legend's label."""
    return {line.get_label(): np.ravel(line.get_xydata().T).reshape(2, -1) for line in figure.axes[panel].lines}


def assert_shows(came, times, values):
    np.testing.assert_allclose(came, [times, np.ravel(values)])


def pixels(path, size):
    """The picture, of this width and height, which must not be blank."""
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    image = matplotlib.image.imread(path)
    assert image.shape == (size[1], size[0], 4)
    assert image[..., :3].std() > 0.03
    return image


def test_the_series_and_the_instance_on_it(tmp_path, data, instance, figures):
    times, xs, _ = instance
    plots.series_picture(tmp_path / "series.png", data, times)
    shown = lines(figures["series.png"])
    assert_shows(shown["the series"], data.x_data, data.y_true)
    assert_shows(shown["the training instance"], times[:-1], xs)
    pixels(tmp_path / "series.png", (880, 440))


def test_the_instance_and_its_target(tmp_path, instance, figures):
    times, xs, targets = instance
    plots.instance_picture(tmp_path / "instance.png", times, xs, targets)
    shown = lines(figures["instance.png"])
    assert_shows(shown["instance"], times[:-1], xs)
    assert_shows(shown["target"], times[1:], targets)
    pixels(tmp_path / "instance.png", (880, 440))


def test_the_predictions_stand_at_their_targets(tmp_path, instance, figures):
    times, xs, targets = instance
    plots.testing_picture(tmp_path / "testing.png", times, xs, targets, targets + 0.3, 0.0912)
    shown = lines(figures["testing.png"])
    assert_shows(shown["target"], times[1:], targets)
    assert_shows(shown["prediction"], times[1:], targets + 0.3)
    assert "9.12e-02" in figures["testing.png"].axes[0].get_title(loc="left")
    pixels(tmp_path / "testing.png", (880, 440))


@pytest.mark.parametrize("snapshots", [3, 6])
def test_the_gallery_has_a_panel_a_snapshot(tmp_path, instance, figures, snapshots):
    times, _, targets = instance
    predictions = {100 * k: targets * k / snapshots for k in range(1, snapshots + 1)}
    plots.gallery_pictures(tmp_path, times, targets, predictions)
    names = [f"step_{step:04d}.png" for step in predictions]
    assert sorted(path.name for path in (tmp_path / "gallery").iterdir()) == names
    rows = -(-snapshots // 5)
    pixels(tmp_path / "gallery.png", (1595, round((2.3 * rows + 0.5) * 110)))
    images = [pixels(tmp_path / "gallery" / name, (550, 385)) for name in names]
    assert len({image.tobytes() for image in images}) == snapshots
    wall = figures["gallery.png"]
    assert len(wall.axes) == 5 * rows
    assert [axes.axison for axes in wall.axes] == [True] * snapshots + [False] * (5 * rows - snapshots)
    for panel, (step, predicted) in enumerate(predictions.items()):
        for figure, place in ((wall, panel), (figures[f"step_{step:04d}.png"], 0)):
            shown = lines(figure, place)
            assert_shows(shown["target"], times[1:], targets)
            assert_shows(shown["prediction"], times[1:], predicted)
            assert figure.axes[place].get_title(loc="left") == f"Step: {step}"


@pytest.mark.parametrize(("begin", "leaves"), [(3.0, False), (7.0, True)])
def test_the_continuation_says_where_training_ended(tmp_path, data, figures, begin, leaves):
    times = begin + np.arange(T + N) * data.resolution
    generated = np.arange(N)[:, None] / 10
    plots.continuation_picture(tmp_path / "continuation.png", data, times, (generated, -generated), (2, N))
    figure = figures["continuation.png"]
    shown = lines(figure)
    assert_shows(shown["the curve"], times, np.sin(times))
    assert_shows(shown["seen"], times[:T], np.sin(times[:T]))
    assert_shows(shown["trained on true values alone"], times[T:], generated)
    assert_shows(shown["and then on its own outputs"], times[T:], -generated)
    assert ("never trained on" in "".join(text.get_text() for text in figure.axes[0].texts)) == leaves
    assert "2 and 5 of 5 points" in figure.axes[0].get_title(loc="left")
    pixels(tmp_path / "continuation.png", (880, 440))


def test_the_users_own_style_stays(tmp_path, data, instance):
    with mpl.rc_context({"figure.dpi": 50, "axes.grid": False}):
        plots.series_picture(tmp_path / "series.png", data, instance[0])
        assert mpl.rcParams["figure.dpi"] == 50
        assert mpl.rcParams["axes.grid"] is False
    pixels(tmp_path / "series.png", (880, 440))
