"""A child process whose output lines can be waited for."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .sandbox import Sandbox


class Program:
    """Runs one program in a process group of its own; keeps its output in memory and in `NAME.log`."""

    def __init__(
        self,
        sandbox: Sandbox,
        name: str,
        command: list[str],
        *,
        environment: dict[str, str] | None = None,
        directory: Path | None = None,
        terminate_with: int = signal.SIGTERM,
    ) -> None:
        self.sandbox = sandbox
        self.name = name
        self._terminate_with = terminate_with
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._ended = False
        self._log = open(sandbox.log_path(name), "ab", buffering=0)
        self._log.write(("$ " + " ".join(command) + "\n").encode())
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=directory or sandbox.directory,
            env={**os.environ, "LC_ALL": "C.UTF-8", "TMPDIR": str(sandbox.directory), **(environment or {})},
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"output of {name}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._log.write(line)
            with self._changed:
                self._lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def write(self, text: str) -> None:
        """Sends text to the program's standard input."""
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def mark(self) -> int:
        """The position after the last line printed so far, to search from later."""
        with self._changed:
            return len(self._lines)

    def lines(self, after: int = 0) -> list[str]:
        with self._changed:
            return self._lines[after:]

    def wait_line(self, pattern: str, *, after: int = 0, count: int = 1, timeout: float | None = None) -> re.Match:
        """Waits until `count` lines from position `after` on match; returns the last match."""
        expression = re.compile(pattern)
        limit = self.sandbox.limit(timeout)
        position, found = after, 0
        with self._changed:
            while True:
                while position < len(self._lines):
                    match = expression.search(self._lines[position])
                    position += 1
                    if match:
                        found += 1
                        if found == count:
                            return match
                if self._ended:
                    self.sandbox.fail(f"{self.name} ended without printing {pattern!r} ({found} of {count})")
                remaining = limit - self.sandbox.now()
                if remaining <= 0:
                    self.sandbox.fail(f"{self.name} did not print {pattern!r} in time ({found} of {count})")
                self._changed.wait(remaining)

    def wait_end(self, timeout: float | None = None) -> int:
        """Waits until the program has ended by itself; returns its exit code."""
        try:
            code = self.process.wait(max(0.01, self.sandbox.limit(timeout) - self.sandbox.now()))
        except subprocess.TimeoutExpired:
            self.sandbox.fail(f"{self.name} did not end in time")
        self._reader.join(5)
        return code

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def stop(self, grace: float = 5) -> int:
        """Asks the program to end, and ends its whole group after `grace` seconds."""
        if self.running:
            os.kill(self.process.pid, self._terminate_with)
            try:
                self.process.wait(grace)
            except subprocess.TimeoutExpired:
                pass
        return self.kill()

    def kill(self) -> int:
        """SIGKILL to the program and what it started; returns the program's exit code."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        code = self.process.wait()
        self._reader.join(5)
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except OSError:
                pass
        self._log.close()
        return code
