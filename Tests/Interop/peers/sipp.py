"""sipp 3.6: scripted user agents. Its scenario files, in sipp/, have words in braces filled in."""

from __future__ import annotations

import re
from pathlib import Path

from sandbox import Program, Sandbox

SCENARIOS = Path(__file__).resolve().parents[1] / "sipp"


class Sipp:
    """One user agent at one port; `words` fill in the scenario file."""

    def __init__(self, sandbox: Sandbox, name: str, **words: str) -> None:
        self.sandbox = sandbox
        self.name = name
        self.words = words
        self.port = sandbox.free_port()
        self._runs = 0

    def _start(self, scenario: str, arguments: list[str], words: dict[str, str]) -> tuple[Program, Path]:
        self._runs += 1
        label = f"sipp-{self.name}-{self._runs}-{scenario}"
        text = (SCENARIOS / f"{scenario}.xml").read_text()
        for word, value in {**self.words, **words}.items():
            text = text.replace("{" + word + "}", value)
        if unfilled := re.search(r"\{[a-z]+\}", text):
            self.sandbox.fail(f"{scenario}.xml: nothing given for {unfilled.group(0)}")
        directory = self.sandbox.subdirectory(label)
        path = directory / f"{scenario}.xml"
        path.write_text(text)
        messages = directory / "messages.log"
        program = self.sandbox.start(
            label,
            ["sipp", "-sf", str(path), "-i", "127.0.0.1", "-p", str(self.port), "-nostdin",
             "-trace_msg", "-message_file", str(messages), "-trace_err", "-error_file", str(directory / "errors.log"),
             *arguments],
            directory=directory,
        )  # fmt: skip
        return program, messages

    def call(
        self,
        scenario: str,
        port: int,
        *,
        calls: int = 1,
        password: str = "",
        transport: str = "u1",
        options: list[str] | None = None,
        timeout: int = 60,
        **words: str,
    ) -> list[str]:
        """Runs a client scenario `calls` times, one call after the other; a failure if one of them fails.

        Returns all messages it sent and received, in order.
        """
        # Unasked, sipp signs the server's address and not the Request-URI, which RFC 7616 3.4.6 has servers refuse.
        user, domain = self.words.get("user", "nobody"), self.words.get("domain", "")
        resource = f"{words['callee']}@{domain}" if "callee" in words else domain
        credentials = ["-au", user, "-ap", password, "-auth_uri", resource] if password else []
        program, messages = self._start(
            scenario,
            [f"127.0.0.1:{port}", "-m", str(calls), "-l", "1", "-r", "200", "-t", transport,
             "-timeout", str(timeout), "-timeout_error", *credentials, *(options or [])],
            words,
        )  # fmt: skip
        code = program.wait_end(timeout=timeout + 10)
        if code != 0:
            unexpected = messages.with_name("errors.log")
            detail = unexpected.read_text("utf-8", "replace")[:1500] if unexpected.exists() else ""
            self.sandbox.fail(f"sipp {scenario} of {self.name} failed ({code}): {detail}")
        return traced(messages)

    def receive(self, count: int) -> Receiver:
        """Starts to answer MESSAGE with 200 at this agent's port, until `count` have come."""
        program, messages = self._start("receiver", ["-m", str(count)], {})
        self.sandbox.poll(lambda: is_bound(self.port) or not program.running, f"sipp to listen at {self.port}", timeout=15)
        return Receiver(self.sandbox, program, messages)


class Receiver:
    def __init__(self, sandbox: Sandbox, program: Program, messages: Path) -> None:
        self.sandbox = sandbox
        self.program = program
        self._messages = messages

    def bodies(self) -> list[str]:
        """Waits until all messages have come; their bodies in order, with retransmissions left out."""
        code = self.program.wait_end(timeout=60)
        self.sandbox.expect_equal(code, 0, f"exit code of {self.program.name}")
        bodies, branches = [], set()
        for message in traced(self._messages):
            head, _, body = message.partition("\n\n")
            branch = re.search(r"branch=([^;,\s]+)", head)
            if head.startswith("MESSAGE ") and branch and branch.group(1) not in branches:
                branches.add(branch.group(1))
                bodies.append(body.strip("\n"))
        return bodies


def traced(messages: Path) -> list[str]:
    """The SIP messages in a trace of sipp."""
    text = messages.read_text("utf-8", "replace").replace("\r", "")
    # A block: a line of dashes with the time, a line that tells direction and size, an empty line, the message.
    return [block.partition("\n\n")[2] for block in re.split(r"^-{20,}.*\n", text, flags=re.MULTILINE)[1:]]


def is_bound(port: int) -> bool:
    """Whether a UDP socket is bound to the port, as the kernel has it."""
    sockets = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(int(line.split()[1].rpartition(":")[2], 16) == port for line in sockets)
