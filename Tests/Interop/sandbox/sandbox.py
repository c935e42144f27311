"""One scenario's surroundings, all of which vanish with it."""

from __future__ import annotations

import random
import shutil
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Callable, NoReturn, TypeVar

from .program import Program

Value = TypeVar("Value")


class Failure(Exception):
    """The scenario observed something else than it expects."""


class DeadlinePassed(Failure):
    """The scenario as a whole took longer than it may."""


class Sandbox:
    """A directory, a deadline, free ports and the programs started in it. `close()` ends and removes all of it."""

    _issued_ports: set[int] = set()
    _port_lock = threading.Lock()

    def __init__(self, name: str, *, godwit: Path, seconds: float) -> None:
        self.name = name
        self.godwit = godwit
        self.directory = Path(tempfile.mkdtemp(prefix="godwit-"))
        self._deadline = self.now() + seconds
        self._programs: list[Program] = []
        self._closers: list[Callable[[], None]] = []

    @staticmethod
    def now() -> float:
        return time.monotonic()

    def limit(self, timeout: float | None) -> float:
        """The moment at which a wait of `timeout` seconds gives up; never later than the scenario's deadline."""
        if self.now() >= self._deadline:
            raise DeadlinePassed(f"deadline of scenario {self.name} passed")
        return self._deadline if timeout is None else min(self._deadline, self.now() + timeout)

    def fail(self, reason: str) -> NoReturn:
        raise Failure(reason)

    def expect(self, condition: bool, reason: str) -> None:
        if not condition:
            raise Failure(reason)

    def expect_equal(self, actual: object, expected: object, what: str) -> None:
        if actual != expected:
            raise Failure(f"{what}: expected {expected!r}, got {actual!r}")

    def poll(self, probe: Callable[[], Value], what: str, *, timeout: float | None = None, every: float = 0.02) -> Value:
        """Asks `probe` until its answer is true; for programs that can be asked but do not tell."""
        limit = self.limit(timeout)
        while not (value := probe()):
            if self.now() > limit:
                self.fail(f"waited in vain for {what}")
            time.sleep(every)
        return value

    def free_port(self) -> int:
        """A port that is free, as is the next one, for UDP and TCP on the loopback address.

        It lies below the kernel's range for outgoing connections; some programs put TLS on the next port.
        """
        with self._port_lock:
            while True:
                port = random.randrange(12000, 31000, 2)
                if port in self._issued_ports:
                    continue
                try:
                    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                        for number in (port, port + 1):
                            with socket.socket(socket.AF_INET, kind) as probe:
                                probe.bind(("127.0.0.1", number))
                except OSError:
                    continue
                self._issued_ports.add(port)
                return port

    def log_path(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def subdirectory(self, name: str) -> Path:
        path = self.directory / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def executable(self, name: str) -> str:
        path = shutil.which(name)
        if path is None:
            self.fail(f"{name} is not installed: run tools/setup")
        return path

    def start(self, name: str, command: list[str], **options) -> Program:
        program = Program(self, name, [self.executable(command[0]), *command[1:]], **options)
        self._programs.append(program)
        return program

    def run(self, name: str, command: list[str], *, input: str = "", timeout: float | None = 30, **options) -> list[str]:
        """Runs a program to its end; returns its output lines; a failure if it exits with other than 0."""
        program = self.start(name, command, **options)
        if input:
            program.write(input)
        program.process.stdin.close()
        code = program.wait_end(timeout)
        if code != 0:
            self.fail(f"{name} exited with {code}: " + " | ".join(program.lines()[-5:]))
        return program.lines()

    def on_close(self, closer: Callable[[], None]) -> None:
        self._closers.append(closer)

    def tails(self, lines: int = 40) -> str:
        """The last lines of every log in the directory."""
        parts = []
        for path in sorted(self.directory.rglob("*.log")):
            text = path.read_text("utf-8", "replace").splitlines()
            parts.append(f"--- {path.relative_to(self.directory)} ({len(text)} lines)")
            parts.extend("    " + line for line in text[-lines:])
        return "\n".join(parts)

    def close(self, *, keep: bool = False) -> None:
        for closer in reversed(self._closers):
            closer()
        for program in reversed(self._programs):
            program.stop(grace=2)
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)
