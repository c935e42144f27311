"""tshark 4.0: captures on the loopback interface and decodes what it saw."""

from __future__ import annotations

import signal

from peers.sigcomp import decompressed_bytes
from sandbox import Sandbox

WARNING = 0x600000  # expert severity: warning; above it, error


class Capture:
    """Everything to and from one port, UDP or TCP, from construction to `stop()`."""

    def __init__(self, sandbox: Sandbox, port: int, transport: str = "udp") -> None:
        self.sandbox = sandbox
        self.port = port
        self._protocol = f"{transport}.port=={port},sip"
        self._file = sandbox.directory / "capture.pcapng"
        self.program = sandbox.start(
            "tshark",
            ["tshark", "-i", "lo", "-f", f"{transport} port {port}", "-d", self._protocol, "-w", str(self._file),
             "-P", "-l"],
            terminate_with=signal.SIGINT,
        )  # fmt: skip
        # "Capture started" is printed when dumpcap has opened the interface; without the right to, tshark ends.
        self.program.wait_line("Capture started", timeout=20)

    def wait_packet(self, pattern: str, *, count: int = 1) -> None:
        """Waits until the summary of a captured packet matches."""
        self.program.wait_line(pattern, count=count, timeout=20)

    def stop(self) -> None:
        self.program.stop()

    def fields(self, filter: str, *names: str) -> list[list[str]]:
        """The fields of the captured packets that pass the display filter."""
        arguments = [word for name in names for word in ("-e", name)]
        lines = self.sandbox.run(
            "tshark-decode",
            ["tshark", "-r", str(self._file), "-d", self._protocol, "-o", "sigcomp.decomp.msg:TRUE", "-Y", filter, "-T", "fields", *arguments],
        )
        return [line.split("\t") for line in lines if "Running as user" not in line]

    def payloads(self) -> list[tuple[int, bytes]]:
        """Source port and content of every datagram, in order."""
        fields = self.fields("udp", "udp.srcport", "udp.payload")
        return [(int(port), bytes.fromhex(payload)) for port, payload in fields if payload]

    def decompressed(self) -> list[list[bytes]]:
        """What tshark's UDVM makes of each packet; empty for what is not SigComp."""
        command = ["tshark", "-r", str(self._file), "-d", self._protocol, "-o", "sigcomp.decomp.msg:TRUE", "-x"]
        return decompressed_bytes(self.sandbox.run("tshark-bytes", command))
