"""The engine of Ray: the same bytes as one process, and a killed worker's partition done again."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

import throughtime as tt
from throughtime.partitions import Failure, RayEngine, forecast_folder

pytestmark = pytest.mark.slow  # Ray starts in seconds, a worker of it in more


class Once(NamedTuple):
    """Work that kills its own process, unless a file says that it has done so."""

    folder: str

    def __call__(self, task: int) -> int:
        mark = Path(self.folder) / str(task)
        if task == 2 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if task == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if task == 4:
            raise tt.InputError("no", code="bad-task", found=task)
        return 10 * task


class Slow(NamedTuple):
    """Work that leaves a mark when it begins, and goes on for a second."""

    folder: str

    def __call__(self, task: int) -> int:
        (Path(self.folder) / str(task)).touch()
        time.sleep(1)
        return task


@pytest.fixture(scope="module")
def engine() -> Iterator[RayEngine]:
    ray = pytest.importorskip("ray")
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])  # a worker finds this file
    ray.init("local", num_cpus=2, include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": paths}})
    yield RayEngine()
    ray.shutdown()


@pytest.mark.filterwarnings("default")
def test_bytes_are_those_of_one_process(sales: Path, instant: tt.Forecaster, tmp_path: Path, engine: RayEngine) -> None:
    outs = [tmp_path / name for name in ("process", "ray")]
    for out, used in zip(outs, ("process", engine), strict=True):
        assert forecast_folder(sales, instant, out, [80, 95], engine=used).done == 3
    files = [{file.relative_to(out): file.read_bytes() for file in out.rglob("*.parquet")} for out in outs]
    assert len(files[0]) == 3
    assert files[0] == files[1]


@pytest.mark.filterwarnings("default")
def test_a_killed_worker_is_tried_again(tmp_path: Path, engine: RayEngine) -> None:
    results = dict(engine.results(Once(str(tmp_path)), [1, 2, 3, 4, 5]))
    assert [results[task] for task in (1, 2, 5)] == [10, 20, 50]
    assert (tmp_path / "2").exists()
    for task, kind in ((3, "WorkerCrashedError"), (4, "bad-task")):
        failed = results[task]
        assert isinstance(failed, Failure)
        assert failed.fields["code"] == kind


@pytest.mark.filterwarnings("default")
def test_tasks_that_nobody_waits_for_never_begin(tmp_path: Path, engine: RayEngine) -> None:
    results = engine.results(Slow(str(tmp_path)), list(range(20)))
    next(results)
    del results
    time.sleep(3)
    assert len(list(tmp_path.iterdir())) <= 3  # one that is done, and two that had begun, of four that were handed out


def test_the_cluster_file_is_what_ray_expects() -> None:
    util = pytest.importorskip("ray.autoscaler._private.util")
    file = Path(__file__).parents[2] / "examples" / "ray_cluster.yaml"
    config = util.prepare_config(yaml.safe_load(file.read_text()))  # fills in what is left out, as ray up does
    util.validate_config(config)
    assert config["max_workers"] == len(config["provider"]["worker_ips"])
