"""One open page: what it asks for, and what it is shown. It ends with the page, and so do its runs."""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import jax
import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from throughtime._errors import InputError, describe_os_error
from throughtime.lab.experiment import Experiment, make_experiment, title
from throughtime.lab.inputs import LabInput
from throughtime.lab.reach import forecaster_reach, run_reach
from throughtime.lab.run import Frame, Run, window_of
from throughtime.lab.saving import save
from throughtime.lab.settings import Course, Learner, parse

MOST_RUNS = 2
Message = dict[str, Any]
AT_LEISURE = ("reach", "forecaster", "save")  # these take seconds, in which the page is heard all the same
# What a page may ask for: its fields, and how each is read. The session has a method for each, named so.
ASKED: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    "apply": {"number": int, "course": dict, "learners": list, "start": int, "running": bool},
    "go": {"running": bool},
    "step": {},
    "pace": {"pace": float},
    "look": {"start": int, "at": int},
    "shown": {},
    "reach": {},
    "forecaster": {},
    "save": {},
}


class Session:
    """One page's runs and its conversation with them.

    A picture is made when the page has drawn the one before: a slow or hidden page gets fewer, and never a queue.
    """

    def __init__(self, socket: WebSocket, lab_input: LabInput, out: Path):
        """Nothing runs until the page says what."""
        self._socket, self._given, self._out = socket, lab_input, out
        self._runs: list[Run] = []
        self._number = 0  # of the settings that were applied last: what belongs to older ones is not drawn any more
        self._place = {"start": 0, "at": 0}
        self._steps_a_second = 0.0  # at most; 0 for as many as can be done
        self._changed, self._drawn = asyncio.Event(), asyncio.Event()
        self._leisure: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    async def serve(self) -> None:
        """Until the page is closed."""
        shows = asyncio.create_task(self._show())
        try:
            while True:
                await self._hear(await self._socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            shows.cancel()
            if self._leisure is not None:
                self._leisure.cancel()
            self._wish(closed=True)  # at once, as what follows may be canceled
            await run_in_threadpool(self._end_runs)

    async def _hear(self, text: str) -> None:
        """Do what a message asks for; what cannot be done is told, and changes nothing."""
        kind = ""
        try:
            message = json.loads(text)
            kind = str(message["type"])
            said = {name: read(message[name]) for name, read in ASKED[kind].items()}
        except (ValueError, TypeError, KeyError, OverflowError):
            await self._say(type="refused", asked=kind, message=f"the laboratory does not understand {text[:80]!r}")
            return
        if kind not in AT_LEISURE:
            await self._do(kind, said)
        elif self._leisure is None or self._leisure.done():
            self._leisure = asyncio.create_task(self._do(kind, said))
        else:
            await self._say(type="refused", asked=kind, message="what was asked for before is not finished yet")

    async def _do(self, kind: str, said: Message) -> None:
        try:
            await getattr(self, f"_{kind}")(**said)
        except InputError as error:
            await self._say(type="refused", asked=kind, message=str(error))
        except OSError as error:
            await self._say(type="refused", asked=kind, message=describe_os_error(error))
        except WebSocketDisconnect:
            raise
        except Exception as error:  # a fault of the laboratory's own is told too, and the page goes on
            await self._say(type="refused", asked=kind, message=f"it failed: {type(error).__name__}: {error}")

    async def _say(self, **content: Any) -> None:
        await self._socket.send_text(json.dumps(content, allow_nan=False))

    async def _show(self) -> None:
        with suppress(WebSocketDisconnect):
            await self._show_frames()

    async def _show_frames(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            frames = [(side, run, frame) for side, run in enumerate(self._runs) if (frame := run.take())]
            if frames:
                self._drawn.clear()
                await self._say(type="frames", number=self._number, frames=[_packed(*each) for each in frames])
                await self._drawn.wait()

    def _wish(self, **wishes: Any) -> None:
        for run in self._runs:
            run.wish(**wishes)

    def _end_runs(self) -> None:
        for run in self._runs:
            run.close()
        self._runs = []

    async def _apply(
        self, number: int, course: dict[str, Any], learners: list[dict[str, Any]], start: int, running: bool
    ) -> None:
        """Begin anew with these settings, the same seed for all; where they make no sense, all goes on as it was."""
        if not learners:
            raise InputError("nobody is to learn: expected one network or two")
        taught = parse(Course, course)
        made = [
            await run_in_threadpool(make_experiment, taught, parse(Learner, each), self._given)
            for each in learners[:MOST_RUNS]
        ]
        await run_in_threadpool(self._end_runs)
        self._number = number
        self._drawn.set()
        self._runs = [Run(each, self._tell_changed) for each in made]
        for run in self._runs:  # all begin together
            await run_in_threadpool(run.prepared.wait)
        problems = [run.problem for run in self._runs if run.problem]
        if problems:
            raise InputError(problems[0])
        self._place = self._placed(start, taught.window - 1)
        await self._say(
            type="ready", number=number, last=_last_start(made[0]), **self._place, **_described(made, self._given)
        )
        self._wish(pace=self._steps_a_second, running=running, frame=True, **self._place)

    def _tell_changed(self) -> None:
        with suppress(RuntimeError):  # the server has ended, and with it the loop
            self._loop.call_soon_threadsafe(self._changed.set)

    def _placed(self, start: int, at: int) -> dict[str, int]:
        """A window and a step of it that there are."""
        if not self._runs:
            return self._place
        one = self._runs[0].experiment  # all have the same window of the same series
        return {"start": min(max(start, 0), _last_start(one)), "at": min(max(at, 0), one.course.window - 1)}

    async def _go(self, running: bool) -> None:
        self._wish(running=running, frame=True)

    async def _step(self) -> None:
        for run in self._runs:
            run.step()

    async def _pace(self, pace: float) -> None:
        if not 0 <= pace < float("inf"):
            raise InputError(f"the pace is {pace}: expected training steps a second, 0 for as many as can be done")
        self._steps_a_second = pace
        self._wish(pace=self._steps_a_second)

    async def _look(self, start: int, at: int) -> None:
        """At another window, or from another of its steps."""
        self._place = self._placed(start, at)
        self._wish(frame=True, **self._place)

    async def _shown(self) -> None:
        self._drawn.set()
        self._wish(frame=True)

    async def _reach(self) -> None:
        number, start = self._number, self._place["start"]
        found = [await run_in_threadpool(run_reach, run, start) for run in self._runs]
        await self._say(type="reach", number=number, sides=found)

    async def _forecaster(self) -> None:
        model = self._given.forecaster
        if model is None:
            raise InputError("there is no forecaster: start the laboratory with throughtime lab --model DIR")
        await self._say(type="forecaster", **await run_in_threadpool(forecaster_reach, model))

    async def _save(self) -> None:
        if not self._runs:
            raise InputError("there is nothing to save yet: expected settings that make sense first")
        saved = await run_in_threadpool(save, self._out, self._runs, self._given, **self._place)
        await self._say(type="saved", **saved)


def _last_start(made: Experiment) -> int:
    return len(made.curve.values) - made.course.window - 1


def _described(made: list[Experiment], lab_input: LabInput) -> Message:
    """What is known of runs before they begin."""
    values = made[0].curve.values
    return {
        "steps": made[0].course.steps,
        "naive": float(np.mean(np.diff(values) ** 2)),
        "notes": list(made[0].curve.notes),
        "sides": [
            {
                "title": title(each, lab_input),
                "hidden": each.start.model.cell.hidden,
                "parameters": sum(leaf.size for leaf in jax.tree.leaves(each.start.model)),
            }
            for each in made
        ],
    }


def _packed(side: int, run: Run, frame: Frame) -> Message:
    """A frame for the wire; arrays as the bytes of float32, whatever they hold."""
    window = window_of(run, frame.start).tolist()
    arrays = {name: _encoded(array) for name, array in frame.look._asdict().items()}
    rest = {name: value for name, value in frame._asdict().items() if name != "look"}
    return {"side": side, "inputs": window[:-1], "targets": window[1:], **rest, **arrays}


def _encoded(array: Any) -> str:
    return base64.b64encode(np.asarray(array, np.float32).tobytes()).decode()
