"""The `sigcomp` commands as a user meets them: arguments, complaints, exit codes."""

from __future__ import annotations

import base64
import json

from sandbox import Sandbox
from scenarios import scenario
from scenarios.sigcomp import PROGRAMS, tool

USAGE, NOT_GOOD, NO_FILE, NO_PLACE = 64, 65, 66, 73


@scenario("sigcomp-assembler", seconds=60)
def assembler(sandbox: Sandbox) -> None:
    """Listings assemble to the same program; every format says the same; errors name file, line and reason."""
    for source in sorted(PROGRAMS.glob("*.udvm")):
        [bytecode] = tool(sandbox, "assemble", str(source))
        program = json.loads(tool(sandbox, "assemble", str(source), "--json")[0])
        sandbox.expect_equal(program["bytecode"], bytecode, "bytecode in JSON")
        binary = sandbox.directory / "bytecode"
        tool(sandbox, "assemble", str(source), "--format", "binary", "--output", str(binary))
        sandbox.expect_equal(binary.read_bytes().hex(), bytecode, "binary bytecode")
        commented = tool(sandbox, "assemble", str(source), "--message", "--symbols")
        listing = tool(sandbox, "disassemble", "-", input="\n".join(commented))
        origin = ["--origin", str(program["start"])]
        sandbox.expect_equal(tool(sandbox, "disassemble", str(binary), *origin), listing[1:], "listing of a message")
        lines = [json.loads(line) for line in tool(sandbox, "disassemble", str(binary), *origin, "--json")]
        sandbox.expect_equal("".join(line["bytes"] for line in lines), bytecode, "bytes of all instructions")
        [again] = tool(sandbox, "assemble", "-", input="\n".join(listing))
        sandbox.expect_equal(again, bytecode, f"{source.name} after disassembling")

    broken = sandbox.directory / "broken.udvm"
    broken.write_text("at (128)\nOUTPUT (0, 1)\nJUMP (nowhere)\n")
    said = tool(sandbox, "assemble", str(broken), code=NOT_GOOD)
    sandbox.expect_equal(said, [f"godwit: {broken}:3: nowhere is not defined"], "complaint about a source")
    broken.write_text("at (100)\nEND-MESSAGE (0, 0, 0, 0, 0, 0, 0)\n")
    tool(sandbox, "assemble", str(broken))
    tool(sandbox, "assemble", str(broken), "--message", code=NOT_GOOD)
    tool(sandbox, "assemble", str(broken), "--data", str(broken), code=USAGE)
    tool(sandbox, "assemble", str(broken), "--message", "--feedback", "8201", code=USAGE)
    tool(sandbox, "assemble", str(broken), "--output", str(sandbox.directory / "none" / "x"), code=NO_PLACE)
    tool(sandbox, "assemble", str(sandbox.directory / "none"), code=NO_FILE)
    tool(sandbox, "disassemble", "-", input="f9010203040506", code=NOT_GOOD)
    tool(sandbox, "disassemble", "-", input="f8ffff", code=NOT_GOOD)


@scenario("sigcomp-messages", seconds=60)
def messages(sandbox: Sandbox) -> None:
    """Messages in files, in text and in a stream; what each asks; what is no message."""
    data = sandbox.directory / "data"
    data.write_bytes(b"\x00\x05hello")
    hello = sandbox.directory / "hello.bin"
    counted = ["assemble", str(PROGRAMS / "counted.udvm"), "--message", "--data", str(data)]
    tool(sandbox, *counted, "--feedback", "8161", "--format", "binary", "--output", str(hello))
    [text] = tool(sandbox, *counted)
    lines = tool(sandbox, "decompress", "--json", str(hello), "-", input=f"; a comment\n\n{text} # another\n")
    first, second = (json.loads(line) for line in lines)
    sandbox.expect_equal([first["message"], second["message"]], [str(hello), "standard input:3"], "names")
    sandbox.expect_equal([base64.b64decode(r["output"]) for r in (first, second)], [b"hello"] * 2, "outputs")
    sandbox.expect_equal([r.get("returnedFeedbackItem") for r in (first, second)], ["8161", None], "items returned")
    sandbox.expect_equal([state["stored"] for state in first["states"]], [True], "states kept")
    [line] = tool(sandbox, "decompress", "--json", "--state-memory", "0", str(hello))
    sandbox.expect_equal([s["stored"] for s in json.loads(line)["states"]], [False], "states kept without memory")
    sandbox.expect_equal(tool(sandbox, "decompress", "--raw", str(hello)), ["hello"], "raw output")

    quoted = bytes.fromhex(text).replace(b"\xff", b"\xff\x00").hex()
    marked = f"{quoted} ffff {quoted} ffff"
    names = [json.loads(line)["message"] for line in tool(sandbox, "decompress", "--json", "--stream", input=marked)]
    sandbox.expect_equal(names, ["standard input#1", "standard input#2"], "messages in a stream")
    tool(sandbox, "decompress", "--stream", input=quoted, code=NOT_GOOD)
    tool(sandbox, "decompress", "--stream", input=f"{quoted} ff80", code=NOT_GOOD)

    said = tool(sandbox, "decompress", input=f"{text[:-20]}\n{text}\n", code=1)
    sandbox.expect(said[0].startswith("standard input:1: failed: MESSAGE_TOO_SHORT"), said[0])
    sandbox.expect("hello" in said, f"what follows a failure is decompressed: {said}")
    everything = tool(sandbox, "trace", "--json", input=f"{text}\n{text}\n")
    sandbox.expect_equal(len(tool(sandbox, "trace", "--json", "--only", "2", input=f"{text}\n{text}\n")) * 2,
                         len(everything), "lines of one of two traces")  # fmt: skip
    sandbox.expect_equal(len(tool(sandbox, "trace", "--steps", "1", input=text)), 4, "lines of a short trace")
    tool(sandbox, "trace", "--only", "2", input=text, code=USAGE)

    tool(sandbox, "decompress", str(sandbox.directory / "none"), code=NO_FILE)
    for nonsense in ("", "f8g0", "MESSAGE sip:bob@example.com SIP/2.0\n", "41"):
        tool(sandbox, "decompress", input=nonsense, code=NOT_GOOD)
    for options in (["--memory", "5000"], ["--state-memory", "1"], ["--cycles-per-bit", "17"], ["--raw", "--json"],
                    ["--sigcomp-version", "3"], ["--dictionaries", "session,session"]):  # fmt: skip
        tool(sandbox, "decompress", *options, input=text, code=USAGE)
