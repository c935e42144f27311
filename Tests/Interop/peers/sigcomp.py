"""SigComp without Godwit: small compressors for programs of RFC 4464, and tshark's UDVM."""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from dataclasses import dataclass, field

from sandbox import Sandbox

LITERALS = 256  # where the pair programs have the 256 single bytes
MEMORY_END = 8192
INPUT_COST = 4  # INPUT-BYTES (4, ...): tshark charges only 1 of its 5 cycles when the message has ended


def state_reference(identifier: str) -> bytes:
    """The header of a message that begins with a stored state (RFC 3320, figure 3)."""
    return b"\xf9" + bytes.fromhex(identifier)[:6]


class PairCompressor:
    """Pairs of position and length for `lz77.udvm` and `dictionary.udvm`; keeps the program's circular buffer."""

    LONGEST = 255

    def __init__(self, buffer: int, extra: dict[int, bytes] | None = None) -> None:
        self._buffer = buffer
        self._size = MEMORY_END - buffer
        self._extra = extra or {}
        self._history = b""

    def compress(self, message: bytes) -> bytes:
        pairs, done = [], 0
        while done < len(message):
            position, length = self._longest(message[done : done + self.LONGEST])
            pairs.append(struct.pack(">HH", position, length))
            self._history += message[done : done + length]
            done += length
        return b"".join(pairs)

    def _longest(self, wanted: bytes) -> tuple[int, int]:
        best = (LITERALS + wanted[0], 1)
        for length in range(4, len(wanted) + 1):
            found = self._find(wanted[:length])
            if found is None:
                break
            best = (found, length)
        return best

    def _find(self, text: bytes) -> int | None:
        for address, content in self._extra.items():
            if (offset := content.find(text)) >= 0:
                return address + offset
        # What the copy itself overwrites must not be read.
        oldest = max(0, len(self._history) + len(text) - self._size)
        offset = self._history.find(text, oldest)
        return None if offset < 0 else self._buffer + offset % self._size

    def state(self, program: bytes, *, start: int, instruction: int) -> str:
        """The identifier of the state that `lz77.udvm` saves, made from a model of its memory from 64 to 8191."""
        memory = bytearray(MEMORY_END)
        end = self._buffer + len(self._history) % self._size
        memory[64:70] = struct.pack(">HHH", self._buffer, MEMORY_END, end)
        memory[start : start + len(program)] = program
        memory[LITERALS : LITERALS + 256] = bytes(range(256))
        oldest = max(0, len(self._history) - self._size)
        for offset in range(oldest, len(self._history)):
            memory[self._buffer + offset % self._size] = self._history[offset]
        value = bytes(memory[64:])
        return hashlib.sha1(struct.pack(">HHHH", len(value), 64, instruction, 6) + value).hexdigest()


class DeflateCompressor:
    """zlib's DEFLATE with fixed codes for `deflate.udvm`, with the messages before as its dictionary."""

    def __init__(self) -> None:
        self._history = b""

    def compress(self, message: bytes) -> bytes:
        # A dictionary may not be empty; nothing refers to this byte when there is no history.
        engine = zlib.compressobj(9, zlib.DEFLATED, -13, 9, zlib.Z_FIXED, self._history[-4096:])
        self._history += message
        return engine.compress(message) + engine.flush()


@dataclass
class Decoded:
    """What tshark found in one packet."""

    output: bytes | None = None
    cycles: int | None = None
    created: list[str] = field(default_factory=list)
    steps: list[tuple[int, str]] = field(default_factory=list)
    text: str = ""


def decode(sandbox: Sandbox, messages: list[bytes], *, steps: bool = False) -> list[Decoded]:
    """Gives tshark the messages as datagrams of one capture."""
    command = ["tshark", "-r", _capture(sandbox, messages, "-u"), "-o", "sigcomp.decomp.msg:TRUE"]
    if steps:
        command += ["-o", "sigcomp.show.udvm.execution:Low-detail"]
    details = "\n".join(sandbox.run("tshark-details", [*command, "-V"]))
    packets = [Decoded(text=text) for text in re.split(r"^Frame \d+: ", details, flags=re.MULTILINE)[1:]]
    for packet in packets:
        if cycles := re.search(r"used_udvm_cycles: (\d+)", packet.text):
            packet.cycles = int(cycles[1])
        packet.created = re.findall(r"### Creating state ###.*\n\s+Partial state identifier: (\w+)", packet.text)
        packet.steps = [(int(at), name) for at, name in re.findall(r"Addr: (\d+) ## ([A-Z0-9-]+)", packet.text)]
    outputs = decompressed_bytes(sandbox.run("tshark-bytes", [*command, "-x"]))
    sandbox.expect_equal((len(packets), len(outputs)), (len(messages), len(messages)), "packets that tshark read")
    for packet, found in zip(packets, outputs):
        packet.output = found[0] if found else None
    return packets


def decode_stream(sandbox: Sandbox, stream: bytes) -> list[bytes]:
    """Gives tshark a piece of a TCP connection; returns the messages it found in it and decompressed."""
    command = ["tshark", "-r", _capture(sandbox, [stream], "-T"), "-o", "sigcomp.decomp.msg:TRUE", "-x"]
    return [output for frame in decompressed_bytes(sandbox.run("tshark-bytes", command)) for output in frame]


def record_marked(message: bytes) -> bytes:
    """A message in a stream (RFC 3320, section 4.2.2): each ff says how many bytes behind it are as they are.

    Says none and as many as can be by turns.
    """
    marked, at, marks = b"", 0, 0
    while at < len(message):
        marked += message[at : at + 1]
        at += 1
        if marked[-1] == 0xFF:
            plain = message[at : at + 127] if marks % 2 else b""
            marks += 1
            marked += bytes([len(plain)]) + plain
            at += len(plain)
    return marked + b"\xff\xff"


def _capture(sandbox: Sandbox, payloads: list[bytes], transport: str) -> str:
    directory = sandbox.subdirectory("capture")
    dump, capture = directory / "packets.txt", directory / "packets.pcapng"
    lines = []
    for payload in payloads:
        lines += [f"{at:06x} {payload[at:at + 16].hex(' ')}" for at in range(0, len(payload), 16)] + [""]
    dump.write_text("\n".join(lines) + "\n")
    command = ["text2pcap", "-q", "-4", "10.0.0.2,10.0.0.1", transport, "6666,5060", str(dump), str(capture)]
    sandbox.run("text2pcap", command)
    return str(capture)


def decompressed_bytes(lines: list[str]) -> list[list[bytes]]:
    """The bytes under "Decompressed SigComp message" of each frame; a frame without any has no titles."""
    outputs: list[list[bytes]] = []
    begins, inside = True, False
    for line in lines:
        is_bytes = re.match(r"[0-9a-f]{4,}  ", line)
        if line.startswith("Frame (") or begins and is_bytes:
            outputs.append([])
            inside = False
        begins = not line or begins and not is_bytes and not line.startswith("Frame (")
        if line.endswith(" bytes):"):
            inside = line.startswith("Decompressed SigComp message")
            if inside:
                outputs[-1].append(b"")
        elif inside and is_bytes:
            outputs[-1][-1] += bytes.fromhex(line.split("  ")[1])
    return outputs
