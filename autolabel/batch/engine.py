"""Units worked on by a dask.distributed cluster: processes of this machine, or machines of a scheduler.

Dask is asked for little: to have one unit on each worker, to start dead workers again, and to say which
unit a worker died of. A unit whose workers die is put off until all others have ended and then tried alone,
so that no unit is blamed for its neighbour.
"""

from __future__ import annotations

import logging
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from autolabel.batch.ended import Ended, Unit
from autolabel.runs import Outcome
from calib.errors import CrosslabelError

if TYPE_CHECKING:
    from distributed import Client, Future

TICK_S = 0.5
CONNECT_S = 20.0
# A unit whose result was lost with its worker is worked on again.
UNDER_WAY = ("pending", "lost")
SETTINGS = {
    # A worker that dies takes its unit to another one once; then the unit waits until it can be tried alone.
    "distributed.scheduler.allowed-failures": 1,
    # A busy machine may need long to start a dead worker again; dask would give it up for good.
    "distributed.deploy.lost-worker-timeout": "24h",
    "distributed.nanny.pre-spawn-environ.OPENCV_FOR_THREADS_NUM": 1,
    # A worker that looks at itself a hundred times a second gets in the way of its unit.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
}


class LostSchedulerError(CrosslabelError):
    """Nobody hands out units any more; what has ended is on disk."""


class Engine:
    """The workers of a dask client, a unit on each.

    Args:
        client: connected; it stays the caller's to close.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._flying: dict[Future, Unit] = {}
        self.under_way: dict[str, float] = {}

    @property
    def workers(self) -> int:
        """How many there are now; the threads of a worker do not count."""
        with self._watched():
            return len(self._client.nthreads())

    def run(self, units: Sequence[Unit]) -> Iterator[Ended | None]:
        """Works on all of them; those that their workers die of come last.

        Raises:
            LostSchedulerError: the scheduler is gone.
        """
        put_off: deque[Unit] = deque()
        waiting = deque(units)
        try:
            while waiting or self._flying:
                for unit, ended in self._ended(waiting, max(self.workers, 1)):
                    if ended is None:
                        put_off.append(unit)
                    else:
                        yield ended
                yield None
            while put_off or self._flying:
                for unit, ended in self._ended(put_off, 1):
                    yield ended or Ended(unit.name, Outcome.FAILED, "its worker process died each time")
                yield None
        finally:
            with suppress(Exception):
                self._client.cancel(list(self._flying), force=True)
            self._flying.clear()
            self.under_way.clear()

    def _hand_out(self, waiting: deque[Unit], places: int) -> None:
        while waiting and len(self._flying) < places:
            unit = waiting.popleft()
            with self._watched():
                future = self._client.submit(unit, pure=False, retries=0)
            self._flying[future] = unit
            self.under_way[unit.name] = time.monotonic()

    def _ended(self, waiting: deque[Unit], places: int) -> Iterator[tuple[Unit, Ended | None]]:
        """What ended within a tick, of so many units at a time; None of a unit whose worker died."""
        from distributed import wait

        self._hand_out(waiting, places)
        # By default another client's loop waits, which is told of what ends 50 ms late.
        with self._watched(), suppress(TimeoutError), self._client.as_current():
            wait(list(self._flying), timeout=TICK_S, return_when="FIRST_COMPLETED")
        if self._client.status != "running":
            raise self._lost()
        ended = []
        for future in [one for one in self._flying if one.status not in UNDER_WAY]:
            unit = self._flying.pop(future)
            self.under_way.pop(unit.name, None)
            ended.append((unit, self._of(unit, future)))
        # Fetched before its worker has another unit, which may kill it; told while it works on that.
        self._hand_out(waiting, places)
        yield from ended

    def _of(self, unit: Unit, future: Future) -> Ended | None:
        from distributed import KilledWorker

        if future.status == "cancelled":
            raise self._lost()
        # Its worker may die before it has handed over the result.
        with self._watched(), suppress(KilledWorker, TimeoutError):
            error = future.exception(timeout=CONNECT_S)
            if error is None:
                ended: Ended = future.result(timeout=CONNECT_S)
                return ended
            if not isinstance(error, KilledWorker):
                return Ended(unit.name, Outcome.FAILED, f"cannot be run on its worker: {_line(error)}")
        return None

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Words whatever a client without a scheduler runs into."""
        from distributed.client import FutureCancelledError, FuturesCancelledError

        try:
            yield
        except (FutureCancelledError, FuturesCancelledError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise self._lost() from None

    def _lost(self) -> LostSchedulerError:
        address = self._client.scheduler.address if self._client.scheduler else "the scheduler"
        return LostSchedulerError(
            f"{address} is gone, and with it whoever hands out logs; what is done is kept, "
            "and the same command goes on from there"
        )


@contextmanager
def local_engine(workers: int) -> Iterator[Engine]:
    """Processes of this machine, one thread each; they end with the block."""
    import dask
    from distributed import Client, LocalCluster

    _quieten()
    with ExitStack() as stack:
        stack.enter_context(dask.config.set(SETTINGS))
        cluster = stack.enter_context(
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",  # of this machine alone, beside other batches
                silence_logs=logging.CRITICAL,
            )
        )
        client = stack.enter_context(Client(cluster))
        client.register_plugin(_leaving_interrupts())
        yield Engine(client)


@contextmanager
def engine_at(address: str) -> Iterator[Engine]:
    """The workers of a scheduler that runs already; they stay when the block ends.

    Raises:
        LostSchedulerError: nobody answers there.
    """
    from distributed import Client

    _quieten()
    try:
        client = Client(address, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise LostSchedulerError(f"{address}: no scheduler answers: {_line(error)}") from None
    try:
        yield Engine(client)
    finally:
        with suppress(Exception):
            client.close(timeout=2)


def _quieten() -> None:
    """Whatever becomes of workers and schedulers is told by us, in one line."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _leaving_interrupts() -> Any:
    """For every worker that is ever started: Ctrl-C is for the process that hands out units.

    Workers of the same terminal get it too.
    """
    from distributed import WorkerPlugin

    class LeaveInterrupts(WorkerPlugin):  # type: ignore[misc]
        def setup(self, worker: Any) -> None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return LeaveInterrupts()


def _line(error: Any) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:400]
