"""One open page: its requests, and the frames that it is sent. It ends with the page, and so do its runs."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from throughtime._errors import InputError, describe_os_error
from throughtime.lab.compiled import CompiledSettings
from throughtime.lab.experiment import Experiment, make_experiment
from throughtime.lab.frame import Place
from throughtime.lab.inputs import LabInput
from throughtime.lab.messages import Request, frame_message, read_request, ready_message
from throughtime.lab.reach import forecaster_reach, trainer_reach
from throughtime.lab.run import Close, Command, Go, Pace, Run, Show, Step
from throughtime.lab.saving import save
from throughtime.lab.settings import Course, Learner, parse
from throughtime.lab.trainer import Trainer

PLACES = ("", "2")  # the two sides of the page: the ends of the names of their settings
SLOW = ("reach", "forecaster", "save")  # requests that may take seconds; others are handled meanwhile


class Laboratory(NamedTuple):
    """The things that all pages share.

    Attributes:
        lab_input: the user's file and model.
        out: the folder to save to.
        compiled: counts the settings of all pages.
    """

    lab_input: LabInput
    out: Path
    compiled: CompiledSettings


class Session:
    """The runs of one page, and its conversation with them.

    A frame is made when the page has drawn the one before: a slow or hidden page gets fewer, and never a queue.
    """

    def __init__(self, socket: WebSocket, laboratory: Laboratory):
        """Begin without runs, until the page sends settings."""
        self._socket, self._laboratory = socket, laboratory
        self._runs: list[Run] = []
        self._number = 0  # of the settings that were applied last: the page draws no frame of older ones
        self._place, self._pace = Place(0, 0), Pace(0.0)
        self._new_frame, self._drawn = asyncio.Event(), asyncio.Event()
        self._slow_tasks: dict[str, asyncio.Task[None]] = {}
        self._loop = asyncio.get_running_loop()
        self._handlers: Mapping[str, Callable[..., Awaitable[None]]] = {
            "apply": self._apply,
            "go": self._go,
            "step": self._step,
            "pace": self._set_pace,
            "look": self._look,
            "shown": self._shown,
            "reach": self._reach,
            "forecaster": self._forecaster,
            "save": self._save,
        }

    async def serve(self) -> None:
        """Handle requests and send frames until the page is closed."""
        frames = asyncio.create_task(self._send_frames())
        try:
            while True:
                await self._receive(await self._socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            frames.cancel()
            for task in self._slow_tasks.values():
                task.cancel()
            self._command(Close())  # at once: the wait that follows may be canceled
            await run_in_threadpool(self._end_runs)

    async def _receive(self, text: str) -> None:
        """Handle a message; one that cannot be handled is refused, and changes nothing."""
        try:
            request = read_request(text)
        except InputError as error:
            await self._refuse("", error)
            return
        if request.type not in SLOW:
            await self._handle(request)
        elif request.type not in self._slow_tasks or self._slow_tasks[request.type].done():
            self._slow_tasks[request.type] = asyncio.create_task(self._handle(request))
        else:
            await self._refuse(request.type, InputError("the last request is not finished yet", code="busy"))

    async def _handle(self, request: Request) -> None:
        """Handle a request; any error is told to the page, even a fault of the laboratory."""
        try:
            await self._handlers[request.type](**request.fields)
        except InputError as error:
            await self._refuse(request.type, error)
        except OSError as error:
            await self._refuse(request.type, InputError(describe_os_error(error), code="os-error"))
        except WebSocketDisconnect:
            raise
        except Exception as error:
            told = InputError(f"it failed: {type(error).__name__}: {error}", code="failed")
            await self._refuse(request.type, told)

    async def _send(self, **content: Any) -> None:
        await self._socket.send_text(json.dumps(content, allow_nan=False))

    async def _refuse(self, asked: str, error: InputError) -> None:
        """Tell why a request is refused; ``field`` is the setting at fault, by its name in the page's form."""
        await self._send(type="refused", asked=asked, message=str(error), code=error.code, field=error.column)

    async def _send_frames(self) -> None:
        """Send frames as they are made, each after the page has drawn the one before."""
        with suppress(WebSocketDisconnect):
            while True:
                await self._new_frame.wait()
                self._new_frame.clear()
                taken = [(side, run.trainer, run.take()) for side, run in enumerate(self._runs)]
                frames = [frame_message(side, trainer, frame) for side, trainer, frame in taken if frame is not None]
                if frames:
                    self._drawn.clear()
                    await self._send(type="frames", number=self._number, frames=frames)
                    await self._drawn.wait()

    def _tell_new_frame(self) -> None:
        """Wake the sender of frames; called in the threads of the runs."""
        with suppress(RuntimeError):  # the server has ended, and with it the loop
            self._loop.call_soon_threadsafe(self._new_frame.set)

    def _command(self, *commands: Command) -> None:
        for run in self._runs:
            run.send(*commands)

    def _end_runs(self) -> None:
        for run in self._runs:
            run.close()
        self._runs = []

    async def _apply(
        self,
        *,
        number: int,
        course: dict[str, Any],
        learners: list[dict[str, Any]],
        start: int,
        unit: int,
        running: bool,
    ) -> None:
        """Begin anew with these settings, with the same seed for all; if they are refused, the old runs continue."""
        experiments = await run_in_threadpool(self._make_experiments, course, learners)
        await run_in_threadpool(self._end_runs)
        self._number = number
        self._drawn.set()
        trainers = [Trainer(experiment) for experiment in experiments]
        self._runs = [Run(trainer, self._tell_new_frame) for trainer in trainers]
        for run in self._runs:
            run.start()
        for run in self._runs:  # all begin to train together
            await run_in_threadpool(run.compiled.wait)
        problems = [run.trainer.problem for run in self._runs if run.trainer.problem]
        if problems:
            raise InputError(problems[0], code="run-failed")
        self._place = self._possible(start, unit)
        ready = ready_message(trainers, self._laboratory.lab_input)
        await self._send(type="ready", number=number, start=self._place.start, **ready)
        self._command(self._pace, Go(running), Show(self._place))

    def _make_experiments(self, course: dict[str, Any], learners: list[dict[str, Any]]) -> list[Experiment]:
        if not learners:
            raise InputError("no network is selected: expected one or two", code="no-network")
        task = parse(Course, course)
        experiments = []
        for place, texts in zip(PLACES, learners, strict=False):
            try:
                learner = parse(Learner, texts)
                experiments.append(make_experiment(task, learner, self._laboratory.lab_input))
            except InputError as error:
                if error.column in Learner._fields:
                    error.column += place
                raise
            self._laboratory.compiled.add(task, learner)
        return experiments

    def _possible(self, start: int, unit: int) -> Place:
        """Return the nearest place that there is; a negative start is the window before the held-out values."""
        if not self._runs:
            return self._place
        trainers = [run.trainer for run in self._runs]  # all have the same windows of the same series
        most = max(trainer.state.model.cell.hidden for trainer in trainers) - 1
        first = trainers[0].first_start if start < 0 else start
        return Place(min(first, trainers[0].last_start), min(max(unit, 0), most))

    async def _go(self, running: bool) -> None:
        self._command(Go(running), Show())

    async def _step(self) -> None:
        self._command(Step())

    async def _set_pace(self, pace: float) -> None:
        if not 0 <= pace < float("inf"):
            raise InputError(
                f"the pace is {pace}: expected training steps per second, 0 for as many as possible",
                code="bad-pace",
                found=pace,
                expected="0 or more",
            )
        self._pace = Pace(pace)
        self._command(self._pace)

    async def _look(self, start: int, unit: int) -> None:
        self._place = self._possible(start, unit)
        self._command(Show(self._place))

    async def _shown(self) -> None:
        self._drawn.set()
        self._command(Show())

    async def _reach(self) -> None:
        number, start = self._number, self._place.start
        sides = [await run_in_threadpool(trainer_reach, run.trainer, start) for run in self._runs]
        await self._send(type="reach", number=number, sides=sides)

    async def _forecaster(self) -> None:
        model = self._laboratory.lab_input.forecaster
        if model is None:
            raise InputError(
                "there is no forecaster: start the laboratory with throughtime lab --model DIR", code="no-forecaster"
            )
        await self._send(type="forecaster", **await run_in_threadpool(forecaster_reach, model))

    async def _save(self) -> None:
        if not self._runs:
            raise InputError("there is nothing to save yet: expected settings first", code="nothing-to-save")
        trainers = [run.trainer for run in self._runs]
        saved = await run_in_threadpool(save, self._laboratory.out, trainers, self._laboratory.lab_input, self._place)
        await self._send(type="saved", **saved)
