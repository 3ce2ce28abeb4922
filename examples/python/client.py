#!/usr/bin/env python3
"""Sends texts to an attune server and prints what they say, with the words that caused it."""

import argparse
import functools
import math
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import grpc
from google.rpc import code_pb2, error_details_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

sys.path.insert(0, str(Path(__file__).resolve().parent / "generated"))
try:
    from attune.v1 import analysis_pb2 as pb
    from attune.v1 import analysis_pb2_grpc as pb_grpc
except ModuleNotFoundError as missing:
    sys.exit(f"client.py: the stubs are missing ({missing}); run generate.sh first")

Answer = TypeVar("Answer")
Show = Callable[[pb.ItemResult, int], None]

FAILED = 1
NO_SERVER = 3

# Below the server's limit of 10000, so that each call ends well before its deadline.
BATCH_ITEMS = 500
# Answers of a batch can be larger than grpcio's default of 4 MiB.
ANSWER_BYTES = 256 << 20
ATTEMPTS = 6
WORDS_SHOWN = 3
TEXT_SHOWN = 100


def retry_delay(error: grpc.RpcError) -> float | None:
    """Seconds after which the server takes the call again; None when another try is no use."""
    # grpcio itself answers RESOURCE_EXHAUSTED for an oversized message: only the advice tells the two apart.
    if error.code() != grpc.StatusCode.RESOURCE_EXHAUSTED:
        return None
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        info = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            return info.retry_delay.seconds + info.retry_delay.nanos / 1e9
    return None


def with_retries(call: Callable[[float], Answer], timeout: float) -> Answer:
    """Runs `call` with the seconds that it may take; again while the server asks for it and time is left."""
    deadline = time.monotonic() + timeout
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return call(deadline - time.monotonic())
        except grpc.RpcError as error:
            delay = retry_delay(error)
            if delay is None or attempt == ATTEMPTS:
                raise
            # The advice is the least; callers that were refused together must not all come back together.
            delay *= 2 ** (attempt - 1) * random.uniform(1.0, 1.5)
            if time.monotonic() + delay >= deadline:
                raise
            time.sleep(delay)
    raise AssertionError("the last attempt returns or raises")


class Client:
    """Calls of one server, each with a deadline of `timeout` seconds, retries included."""

    def __init__(self, channel: grpc.Channel, timeout: float):
        self.analysis = pb_grpc.AnalysisServiceStub(channel)
        self.reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
        self.timeout = timeout

    def services(self) -> list[str]:
        """Names of the services, by reflection."""
        # grpc_reflection's own descriptor database takes no deadline, hence the plain stub.
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = self.reflection.ServerReflectionInfo(iter([request]), timeout=self.timeout)
        return sorted(s.name for answer in answers for s in answer.list_services_response.service)

    def batch(self, texts: list[str], show: Show) -> None:
        """Has `texts` read batch by batch; `show` gets each result and the place of its text."""
        for start in range(0, len(texts), BATCH_ITEMS):
            chunk = texts[start : start + BATCH_ITEMS]
            request = pb.BatchAnalyzeTextRequest(items=items(chunk, start))
            call = functools.partial(self.analysis.BatchAnalyzeText, request)
            answer = with_retries(lambda left, call=call: call(timeout=left), self.timeout)
            for result in answer.results:
                show(result, start + result.index)

    def stream(self, texts: list[str], show: Show) -> None:
        """As `batch`, in one stream: results come while later texts are still being sent."""
        answered = 0

        def call(left: float) -> None:
            # Answers come in order, so that another try goes on behind the last of them.
            nonlocal answered
            first = answered
            requests = (pb.StreamAnalyzeTextRequest(item=i) for i in items(texts[first:], first))
            for answer in self.analysis.StreamAnalyzeText(requests, timeout=left):
                answered += 1
                show(answer.result, first + answer.result.index)

        with_retries(call, self.timeout)


def connect(server: str) -> grpc.Channel:
    """A plaintext channel to `server`, HOST:PORT."""
    return grpc.insecure_channel(server, options=[("grpc.max_receive_message_length", ANSWER_BYTES)])


def items(texts: list[str], first: int) -> Iterator[pb.BatchItem]:
    """The items of a request, with the place of each text as its id."""
    return (pb.BatchItem(id=str(n), text=text) for n, text in enumerate(texts, first))


def words(text: str, evidence: pb.Evidence) -> str:
    """The words that speak most for a label, cut out of the text, in their order; or that none does."""
    speaking = [s for s in evidence.spans if s.contribution > 0]
    most = sorted(speaking, key=lambda s: -s.contribution)[:WORDS_SHOWN]
    # Python indexes a str by Unicode scalar values, which is what the char offsets count.
    shown = [
        f'"{visible(text[s.span.char_start : s.span.char_end])}" {s.contribution:+.2f}'
        for s in sorted(most, key=lambda s: s.span.char_start)
    ]
    return ", ".join(shown) or "(no word in particular)"


def lines(text: str, result: pb.ItemResult) -> Iterator[str]:
    """What is known of a text, for people."""
    if result.WhichOneof("outcome") == "error":
        error = result.error
        field = f" (field {error.field})" if error.field else ""
        yield f"error: {short(code_pb2.Code, error.code, '')}: {error.message}{field}"
        return
    assessment = result.assessment
    if assessment.status != pb.STATUS_OK:
        language = f", language {assessment.language}" if assessment.language else ""
        yield f"not read: {short(pb.Status, assessment.status, 'STATUS_')}{language}"
        return
    if assessment.HasField("sentiment"):
        feeling = assessment.sentiment
        yield (
            f"sentiment: {short(pb.SentimentLabel, feeling.label, 'SENTIMENT_LABEL_')} {feeling.score:+.2f}"
            f" (negative {feeling.negative:.2f}, neutral {feeling.neutral:.2f},"
            f" positive {feeling.positive:.2f})"
        )
        for found in feeling.evidence:
            yield f"  {found.label}: {words(text, found.evidence)}"
    for kind, labels in (("emotion", assessment.emotions), ("cue", assessment.cues)):
        for label in labels:
            if label.predicted:
                yield f"{kind}: {label.label} {label.probability:.2f}: {words(text, label.evidence)}"


def short(enum, number: int, prefix: str) -> str:
    """An enum value's name, for people; a newer server may send a number without a name."""
    name = enum.Name(number) if number in enum.values() else str(number)
    return name.removeprefix(prefix).lower().replace("_", " ")


def visible(text: str) -> str:
    """Text on one line and without characters that a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def host_and_port(value: str) -> str:
    """An argument that must be HOST:PORT."""
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"expected HOST:PORT, such as 127.0.0.1:50051, not {value!r}")
    return value


def seconds(value: str) -> float:
    """An argument that must be a time."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 < number <= 86400:
        raise argparse.ArgumentTypeError(f"expected seconds, up to a day, not {value!r}")
    return number


def parse() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="without one, each line of stdin is a text")
    parser.add_argument("--server", type=host_and_port, default="127.0.0.1:50051", metavar="HOST:PORT")
    parser.add_argument("--timeout", type=seconds, default=30.0, metavar="SECONDS", help="for each call")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--stream", action="store_true", help="use StreamAnalyzeText, not BatchAnalyzeText")
    mode.add_argument("--list", action="store_true", help="list the server's services and stop")
    return parser.parse_args()


def read_texts(arguments: argparse.Namespace) -> list[str]:
    """The texts of the command line, or else the lines of stdin."""
    texts = arguments.texts
    if not texts:
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
        texts = [line.rstrip("\n") for line in sys.stdin]
    for n, text in enumerate(texts, 1):
        # Bytes that are no UTF-8 come as lone surrogates, which protobuf can't encode.
        if any("\ud800" <= c <= "\udfff" for c in text):
            sys.exit(f"client.py: text {n} is not UTF-8")
    return texts


def complaint(error: grpc.RpcError, arguments: argparse.Namespace) -> tuple[str, int]:
    """What to tell about a failed call, and the exit code."""
    code, details = error.code(), error.details()
    if code == grpc.StatusCode.UNAVAILABLE:
        hint = "start one with `attune serve`, or name it with --server"
        return f"no server answers at {arguments.server}; {hint} ({details})", NO_SERVER
    if code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"{arguments.server} did not answer within {arguments.timeout:g} s; see --timeout", FAILED
    return f"{arguments.server}: {code.name}: {details}", FAILED


def main() -> int:
    """Returns the exit code: 0, 1 when a call or a text failed, 3 when there is no server."""
    arguments = parse()
    sys.stdout.reconfigure(errors="replace")
    failed = 0
    try:
        with connect(arguments.server) as channel:
            client = Client(channel, arguments.timeout)
            if arguments.list:
                print("\n".join(client.services()))
                return 0
            texts = read_texts(arguments)

            def show(result: pb.ItemResult, n: int) -> None:
                nonlocal failed
                failed += result.WhichOneof("outcome") == "error"
                rest = "..." if len(texts[n]) > TEXT_SHOWN else ""
                print(f"{n + 1}: {visible(texts[n][:TEXT_SHOWN])}{rest}")
                for line in lines(texts[n], result):
                    print(f"   {line}", flush=True)

            (client.stream if arguments.stream else client.batch)(texts, show)
    except grpc.RpcError as error:
        message, exit_code = complaint(error, arguments)
        print(f"client.py: {message}", file=sys.stderr)
        return exit_code
    return FAILED if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:
        # The reader (such as `head`) has what it wanted; Python would complain once more while it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
