"""SigComp: Godwit's UDVM, assembler and NACKs beside those of tshark (RFC 3320, RFC 4464, RFC 4077)."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from pathlib import Path

from peers.sigcomp import (
    INPUT_COST,
    Decoded,
    DeflateCompressor,
    PairCompressor,
    decode,
    decode_stream,
    record_marked,
    state_reference,
)
from sandbox import Sandbox
from scenarios import scenario

PROGRAMS = Path(__file__).resolve().parent.parent / "udvm"
SHARED = Path(__file__).resolve().parents[4] / "shared"
ENDPOINT = ["--memory", "65536", "--state-memory", "8192", "--cycles-per-bit", "16"]


def corpus(sandbox: Sandbox, count: int) -> list[bytes]:
    """The first messages that the endpoint of the corpus sends."""
    files = sorted((SHARED / "corpus" / "sip-day").glob("*-up-*.sip"))[:count]
    sandbox.expect_equal(len(files), count, "messages in ../shared/corpus/sip-day")
    return [file.read_bytes() for file in files]


def tool(sandbox: Sandbox, *arguments: str, input: str = "", code: int = 0) -> list[str]:
    """What `godwit sigcomp` prints, which must end with the exit code `code`."""
    program = sandbox.start("godwit-sigcomp", [str(sandbox.godwit), "sigcomp", *arguments])
    program.write(input)
    program.process.stdin.close()
    sandbox.expect_equal(program.wait_end(30), code, f"exit code of sigcomp {' '.join(arguments)}: {program.lines()}")
    return program.lines()


def assemble(sandbox: Sandbox, name: str) -> tuple[dict, bytes]:
    """A program, and the message that uploads it, to which compressed data may be appended."""
    [line] = tool(sandbox, "assemble", str(PROGRAMS / f"{name}.udvm"), "--message", "--json")
    program = json.loads(line)
    return program, bytes.fromhex(program["message"])


def reports(sandbox: Sandbox, messages: list[bytes], *options: str, code: int = 0) -> list[dict]:
    text = "".join(message.hex() + "\n" for message in messages)
    lines = tool(sandbox, "decompress", "--json", *ENDPOINT, *options, input=text, code=code)
    return [json.loads(line) for line in lines]


def compare(
    sandbox: Sandbox, plain: list[bytes], messages: list[bytes], *, uncharged: int = 0, steps: bool = False
) -> tuple[list[dict], list[Decoded]]:
    """Output, cycles and created states of all messages, ours against tshark's."""
    ours = reports(sandbox, messages)
    theirs = decode(sandbox, messages, steps=steps)
    raw = sandbox.directory / "raw"
    text = sandbox.directory / "messages.hex"
    text.write_text("".join(message.hex() + "\n" for message in messages))
    with raw.open("wb") as file:
        subprocess.run(
            [str(sandbox.godwit), "sigcomp", "decompress", "--raw", *ENDPOINT, str(text)],
            stdout=file, check=True, timeout=30,
        )  # fmt: skip
    outputs = [packet.output or b"" for packet in theirs]
    sandbox.expect_equal(outputs, plain, "what tshark decompressed")
    sandbox.expect_equal(raw.read_bytes(), b"".join(outputs), "decompress --raw beside tshark's output")
    for number, (our, their) in enumerate(zip(ours, theirs), 1):
        sandbox.expect_equal(our["cycles"], their.cycles + uncharged, f"cycles of message {number}")
        created = [state["identifier"][:12] for state in our["states"] if state["request"] == "create"]
        sandbox.expect_equal(created, their.created, f"states that message {number} created")
    return ours, theirs


@scenario("sigcomp-tshark-lz77", seconds=120)
def lz77(sandbox: Sandbox) -> None:
    """RFC 4464's LZ77 with history in states, over the wrap of its buffer; identifiers known beforehand by a model."""
    program, upload = assemble(sandbox, "lz77")
    symbols = program["symbols"]
    compressor = PairCompressor(symbols["circular_buffer"])
    plain, messages, identifiers = corpus(sandbox, 24), [], []
    for message in plain:
        header = state_reference(identifiers[-1]) if identifiers else upload
        messages.append(header + compressor.compress(message))
        identifiers.append(
            compressor.state(
                bytes.fromhex(program["bytecode"]), start=program["start"],
                instruction=symbols["decompress_sigcomp_message"],
            )
        )  # fmt: skip
    sandbox.expect(sum(map(len, plain)) > 8192, "the messages are more than the buffer holds")
    ours, _ = compare(sandbox, plain, messages, uncharged=INPUT_COST)
    stored = [report["states"][0]["identifier"] for report in ours if report["states"][0]["stored"]]
    sandbox.expect_equal(stored, identifiers, "identifiers of the states kept")


def deflated(sandbox: Sandbox, plain: list[bytes]) -> list[bytes]:
    """Messages for RFC 4464's DEFLATE, each with those before as its dictionary."""
    _, upload = assemble(sandbox, "deflate")
    compressor = DeflateCompressor()
    messages: list[bytes] = []
    for message in plain:
        known = reports(sandbox, messages) if messages else []
        header = state_reference(known[-1]["states"][0]["identifier"]) if known else upload
        messages.append(header + compressor.compress(message))
    return messages


@scenario("sigcomp-tshark-deflate", seconds=120)
def deflate(sandbox: Sandbox) -> None:
    """zlib's DEFLATE with its history in states."""
    plain = corpus(sandbox, 8)
    messages = deflated(sandbox, plain)
    compare(sandbox, plain, messages)
    sandbox.expect(sum(map(len, messages)) < sum(map(len, plain)), "the messages have become smaller")


@scenario("sigcomp-tshark-stream", seconds=60)
def stream(sandbox: Sandbox) -> None:
    """The same over TCP with record marking, and many bytes ff, both ways of quoting, all in one segment."""
    plain = corpus(sandbox, 5)
    messages = deflated(sandbox, plain)
    _, counted = assemble(sandbox, "counted")
    plain.append(bytes(range(256)) * 2 + b"\xff" * 300)
    messages.append(counted + len(plain[-1]).to_bytes(2, "big") + plain[-1])
    marked = b"".join(map(record_marked, messages))
    sandbox.expect(b"\xff\x00" in marked and re.search(rb"\xff[\x01-\x7f]", marked), "both ways of quoting")
    sandbox.expect_equal(decode_stream(sandbox, marked), plain, "what tshark decompressed")
    lines = tool(sandbox, "decompress", "--json", "--stream", *ENDPOINT, input=marked.hex())
    sandbox.expect_equal([base64.b64decode(json.loads(line)["output"]) for line in lines], plain, "what Godwit did")


@scenario("sigcomp-tshark-dictionary", seconds=60)
def dictionary(sandbox: Sandbox) -> None:
    """The static dictionary of RFC 3485 as tshark has it and as Godwit has it."""
    program, upload = assemble(sandbox, "dictionary")
    phrases = (SHARED / "vectors" / "sigcomp" / "dictionary-rfc3485.bin").read_bytes()
    plain, messages = corpus(sandbox, 6), []
    for message in plain:
        symbols = program["symbols"]
        compressor = PairCompressor(symbols["circular_buffer"], {symbols["dictionary"]: phrases})
        messages.append(upload + compressor.compress(message))
    compare(sandbox, plain, messages, uncharged=INPUT_COST)
    without = reports(sandbox, messages[:1], "--dictionaries", "presence", code=1)
    failure = (without[0]["failure"]["reason"], without[0]["failure"]["details"])
    sandbox.expect_equal(failure, ("STATE_NOT_FOUND", phrases_identifier(program)), "without the dictionary")


def phrases_identifier(program: dict) -> str:
    """The 6 bytes with which the program names the dictionary."""
    offset = (program["symbols"]["dictionary_identifier"] - program["start"]) * 2
    return program["bytecode"][offset : offset + 12]


@scenario("sigcomp-tshark-steps", seconds=60)
def steps(sandbox: Sandbox) -> None:
    """Both machines execute the same instructions at the same addresses."""
    _, counted = assemble(sandbox, "counted")
    _, codes = assemble(sandbox, "deflate")
    text = corpus(sandbox, 1)[0]
    # Not LZ77: when tshark prints the steps, it fails at an input behind the end of the message.
    for message in (counted + len(text).to_bytes(2, "big") + text, codes + DeflateCompressor().compress(text)):
        _, [their] = compare(sandbox, [text], [message], steps=True)
        lines = tool(sandbox, "trace", "--json", *ENDPOINT, input=message.hex())
        *ours, end = [json.loads(line) for line in lines]
        executed = [(step["address"], step["instruction"].split(" ")[0]) for step in ours]
        sandbox.expect_equal(executed, their.steps, "instructions executed")
        sandbox.expect_equal(sum(step["cycles"] for step in ours), end["cycles"], "cycles of all steps")


@scenario("sigcomp-tshark-nack", seconds=60)
def nack(sandbox: Sandbox) -> None:
    """Messages that fail: tshark reads the NACKs that answer them, and so does Godwit."""
    _, counted = assemble(sandbox, "counted")
    failing = {
        "STATE_NOT_FOUND": bytes.fromhex("f9010203040506"),
        "USER_REQUESTED": counted + b"\x00\x09short",
        "INVALID_OPCODE": bytes.fromhex("f80011ff"),
    }
    ours = reports(sandbox, list(failing.values()), code=1)
    sandbox.expect_equal([report["failure"]["reason"] for report in ours], list(failing), "reasons")
    answers = [bytes.fromhex(report["failure"]["answer"]) for report in ours]
    for our, packet in zip(ours, decode(sandbox, answers)):
        failure = our["failure"]
        sandbox.expect(f"Reason Code: {failure['reason']}" in packet.text.replace("-", "_"), packet.text)
        sandbox.expect(f"PC of failed instruction: {failure['address']}" in packet.text, packet.text)
    read = reports(sandbox, answers)
    sandbox.expect_equal([report["result"] for report in read], ["nack"] * len(read), "the answers read by Godwit")
    seen = [{**report["failure"], "answer": None} for report in read]
    sandbox.expect_equal(seen, [{**report["failure"], "answer": None} for report in ours], "failures in the NACKs")
