#!/usr/bin/env python3
"""Checks an attune binary from end to end: starts it, calls it as a client would, and stops it."""

import argparse
import collections
import json
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from client import Client, items, pb, short

START_SECONDS = 120
STOP_SECONDS = 15
CALL_SECONDS = 30
TOLERANCE = 1e-6
SERVICE = "attune.v1.AnalysisService"

# Characters of two, three and four bytes come before the words, so that byte and char offsets differ.
MESSAGE = (
    "Café order 😡 — I've waited three weeks for my £40 refund and nobody answers. "
    "This is unacceptable: cancel my account, I want to speak to a manager! Thanks to Zoë, who was lovely."
)
GERMAN = "Ich warte seit drei Wochen auf meine Lieferung und niemand antwortet mir, das ist nicht in Ordnung."


class Failed(Exception):
    """A check that found something else than it should."""


def expect(holds: bool, message: str) -> None:
    """Ends the check unless `holds`; an assert would vanish under `python -O`."""
    if not holds:
        raise Failed(message)


def expect_error(call, code: grpc.StatusCode) -> grpc.RpcError:
    """The error that `call` must end with."""
    try:
        call()
    except grpc.RpcError as error:
        expect(error.code() == code, f"expected {code.name}, got {error.code().name}: {error.details()}")
        return error
    raise Failed(f"expected {code.name}, got an answer")


class Server:
    """An attune process on free ports, with the end of its log."""

    def __init__(self, binary: Path):
        command = [binary, "serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
        command += ["--set", "log.format=json", "--log", "info,ort=warn"]
        try:
            self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8")
        except OSError as error:
            raise Failed(f"{binary} can't be run: {error.strerror}") from error
        self.log: collections.deque[str] = collections.deque(maxlen=20)
        self.ready: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # The log is read to its end: a full pipe would block the server.
        threading.Thread(target=self.read_log, daemon=True).start()

    def read_log(self) -> None:
        """Keeps the last lines, and hands over the address of the line that says "ready"."""
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and entry.get("message") == "ready":
                self.ready.put(entry.get("grpc.address"))
        self.ready.put(None)

    def address(self) -> str:
        """Where gRPC listens, once the model is loaded."""
        try:
            address = self.ready.get(timeout=START_SECONDS)
        except queue.Empty:
            raise Failed(f"the server was not ready within {START_SECONDS} s") from None
        expect(bool(address), "the server ended, or its ready line has no grpc.address")
        return address

    def stop(self) -> int:
        """Sends SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failed(f"the server still runs {STOP_SECONDS} s after SIGTERM") from None


class Checks:
    """The checks, in the order of their definition; each public method is one, named by its docstring."""

    def __init__(self, server: Server):
        self.server = server
        self.address = server.address()
        # Reaches the loopback address also where the environment names an HTTP proxy.
        self.channel = grpc.insecure_channel(self.address, options=[("grpc.enable_http_proxy", 0)])
        self.client = Client(self.channel, CALL_SECONDS)
        self.analysis = self.client.analysis
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def _analyze(self, text: str, **options) -> pb.Assessment:
        request = pb.AnalyzeTextRequest(text=text, options=pb.AnalysisOptions(**options))
        return self.analysis.AnalyzeText(request, timeout=CALL_SECONDS).assessment

    def _run_client(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess:
        client = Path(__file__).with_name("client.py")
        return subprocess.run(
            [sys.executable, client, "--server", self.address, *arguments],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "no_grpc_proxy": "127.0.0.1", "PYTHONIOENCODING": "utf-8"},
            timeout=2 * CALL_SECONDS,
        )

    def reflection(self):
        """reflection lists the services"""
        names = self.client.services()
        for name in (SERVICE, "attune.v1.ModelService", "grpc.health.v1.Health"):
            expect(name in names, f"{name} is not among {names}")

    def health_serving(self):
        """health is SERVING"""
        for service in ("", SERVICE):
            request = health_pb2.HealthCheckRequest(service=service)
            status = self.health.Check(request, timeout=CALL_SECONDS).status
            expect(status == health_pb2.HealthCheckResponse.SERVING, f"{service!r} has status {status}")

    def status(self):
        """AnalyzeText reads a message to its end"""
        assessment = self._analyze(MESSAGE)
        expect(assessment.status == pb.STATUS_OK, f"status {pb.Status.Name(assessment.status)}")
        expect(assessment.language == "en", f"language {assessment.language!r}")
        expect(assessment.coverage == 1, f"coverage {assessment.coverage}")
        expect(assessment.token_count > 0 and assessment.window_count == 1, "no tokens, or not one window")
        expect(bool(assessment.model.id and assessment.model.version), "no model reference")

    def probabilities(self):
        """probabilities are within [0, 1], and those of the sentiment add up to 1"""
        assessment = self._analyze(MESSAGE, all_labels=True)
        feeling = assessment.sentiment
        three = (feeling.negative, feeling.neutral, feeling.positive)
        expect(abs(sum(three) - 1) <= TOLERANCE, f"{three} add up to {sum(three)}")
        difference = feeling.positive - feeling.negative
        expect(abs(feeling.score - difference) <= TOLERANCE, f"score {feeling.score} is not {difference}")
        for labels in (assessment.emotions, assessment.cues):
            found = [label.probability for label in labels]
            expect(len(found) > 1, "all labels were asked for, and there are none")
            expect(all(0 <= p <= 1 for p in (*three, *found)), f"a probability is outside [0, 1]: {found}")
            expect(found == sorted(found, reverse=True), f"not sorted by probability: {found}")
            for label in labels:
                reached = label.probability >= label.threshold
                expect(label.predicted == reached, f"predicted does not follow from the threshold: {label}")

    def evidence_sum(self):
        """bias, spans and remainder of each evidence add up to its logit"""
        for label, probability, evidence in evidences(self._analyze(MESSAGE)):
            total = evidence.bias + sum(s.contribution for s in evidence.spans) + evidence.remainder
            expect(abs(total - evidence.logit) <= TOLERANCE, f"{label}: {total} is not {evidence.logit}")
            if probability is not None:
                implied = 1 / (1 + math.exp(-evidence.logit))
                expect(abs(implied - probability) <= TOLERANCE, f"{label}: {implied} is not {probability}")

    def evidence_words(self):
        """evidence spans cut whole words out of the text"""
        encoded = MESSAGE.encode()
        spans_seen = 0
        for label, _, evidence in evidences(self._analyze(MESSAGE)):
            expect(len(evidence.spans) > 0, f"{label} has no spans")
            end = 0
            for span in (s.span for s in evidence.spans):
                word = MESSAGE[span.char_start : span.char_end]
                by_bytes = encoded[span.byte_start : span.byte_end].decode(errors="replace")
                expect(word == by_bytes, f"{label}: chars cut {word!r}, bytes cut {by_bytes!r}")
                expect(word != "" and word == word.strip(), f"{label}: {word!r} is no word")
                for at in (span.char_start, span.char_end):
                    around = MESSAGE[max(at - 1, 0) : at + 1]
                    inside = len(around) == 2 and around.isalnum()
                    expect(not inside, f"{label}: {word!r} begins or ends within a word")
                expect(span.char_start >= end, f"{label}: spans overlap or are out of order at {word!r}")
                end = span.char_end
                spans_seen += 1
        expect(spans_seen > 3, f"only {spans_seen} spans")

    def batch(self):
        """a batch of three reads two and tells that one is in another language"""
        praise = "The new app is wonderful, thank you so much!"
        complaint = "My parcel never came and I want my money back."
        texts = [praise, GERMAN, complaint]
        request = pb.BatchAnalyzeTextRequest(items=items(texts, 0))
        results = self.analysis.BatchAnalyzeText(request, timeout=CALL_SECONDS).results
        expect([(r.id, r.index) for r in results] == [("0", 0), ("1", 1), ("2", 2)], "ids or order differ")
        found = [pb.Status.Name(r.assessment.status) for r in results]
        expect(found == ["STATUS_OK", "STATUS_UNSUPPORTED_LANGUAGE", "STATUS_OK"], f"statuses {found}")
        foreign = results[1].assessment
        expect(foreign.language == "de", f"language {foreign.language!r}")
        scored = foreign.HasField("sentiment") or foreign.emotions or foreign.cues
        expect(not scored, "a text that was not read has scores")
        scores = [results[n].assessment.sentiment.score for n in (0, 2)]
        expect(scores[0] > 0 > scores[1], f"praise and complaint score {scores}")

    def stream(self):
        """a stream of fifty is answered in order"""
        # Lengths vary so that later texts could overtake earlier ones.
        filler = "the delivery is late again. "
        texts = [f"Message number {n}: {filler * (1 + 37 * n % 40)}" for n in range(50)]
        requests = (pb.StreamAnalyzeTextRequest(item=item) for item in items(texts, 0))
        results = [a.result for a in self.analysis.StreamAnalyzeText(requests, timeout=CALL_SECONDS)]
        expect([r.index for r in results] == list(range(50)), f"order {[r.index for r in results]}")
        expect([r.id for r in results] == [str(n) for n in range(50)], f"ids {[r.id for r in results]}")
        for result in results:
            expect(result.assessment.status == pb.STATUS_OK, f"text {result.index}: {result}")

    def invalid_lane(self):
        """an unknown lane is INVALID_ARGUMENT and names options.lane"""
        error = expect_error(lambda: self._analyze(MESSAGE, lane=77), grpc.StatusCode.INVALID_ARGUMENT)
        status = rpc_status.from_call(error)
        expect(status is not None, "the error has no google.rpc.Status")
        fields = []
        for detail in status.details:
            bad_request = error_details_pb2.BadRequest()
            if detail.Unpack(bad_request):
                fields += [violation.field for violation in bad_request.field_violations]
        expect(fields == ["options.lane"], f"field violations {fields}")

    def deadline(self):
        """a deadline of 1 ms on a long text is DEADLINE_EXCEEDED, and the server goes on"""
        request = pb.AnalyzeTextRequest(text="I am still waiting for an answer. " * 15_000)
        expect(len(request.text) > 500_000, f"the text has {len(request.text)} bytes")
        late = grpc.StatusCode.DEADLINE_EXCEEDED
        expect_error(lambda: self.analysis.AnalyzeText(request, timeout=0.001), late)
        # grpcio keeps a timeout by itself; the bare header shows that the server does too.
        call = self.analysis.AnalyzeText.future(request, metadata=[("grpc-timeout", "1m")])
        expect_error(lambda: call.result(timeout=CALL_SECONDS), late)
        expect(self._analyze("Are you still there?").status == pb.STATUS_OK, "no reading afterwards")

    def example_client(self):
        """client.py lists services, and prints evidence from a batch and from a stream"""
        listed = self._run_client("--list")
        expect(SERVICE in listed.stdout.split(), f"--list printed {listed.stdout!r} {listed.stderr!r}")
        # What the model makes of the message is not this check's to say: the client prints what the service answers.
        label = short(pb.SentimentLabel, self._analyze(MESSAGE).sentiment.label, "SENTIMENT_LABEL_")
        for flags in ([], ["--stream"]):
            done = self._run_client(*flags, stdin=f"{MESSAGE}\n{GERMAN}\n")
            expect(done.returncode == 0, f"{flags} exited with {done.returncode}: {done.stderr}")
            for part in (f"sentiment: {label} ", '" +', "not read: unsupported language, language de"):
                expect(part in done.stdout, f"{flags} did not print {part!r}: {done.stdout}")

    def sigterm(self):
        """SIGTERM ends the server with exit code 0, and client.py then says that none is there"""
        # The channel stays open: a connection at rest must not hold the process.
        exit_code = self.server.stop()
        expect(exit_code == 0, f"exit code {exit_code}")
        done = self._run_client("hello")
        expect(done.returncode == 3, f"client.py exited with {done.returncode}: {done.stderr}")
        expect("no server answers" in done.stderr, f"client.py printed {done.stderr!r}")


def evidences(assessment: pb.Assessment) -> Iterator[tuple[str, float | None, pb.Evidence]]:
    """Every evidence with its label, and with its probability where that follows from the logit alone."""
    expect(len(assessment.sentiment.evidence) > 0, "the sentiment has no evidence")
    for found in assessment.sentiment.evidence:
        yield found.label, None, found.evidence
    predicted = [label for label in (*assessment.emotions, *assessment.cues) if label.predicted]
    expect(len(predicted) > 0, "no emotion and no cue is predicted")
    for label in predicted:
        expect(label.HasField("evidence"), f"{label.label} is predicted and has no evidence")
        yield label.label, label.probability, label.evidence


def main() -> int:
    """Returns the exit code: 0 when every check passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", type=Path, help="the attune binary")
    binary = parser.parse_args().binary.resolve()
    server, name, passed = None, "the server starts", 0
    try:
        server = Server(binary)
        checks = Checks(server)
        passed += 1
        for method in [m for key, m in vars(Checks).items() if not key.startswith("_")]:
            name = method.__doc__
            started = time.monotonic()
            method(checks)
            passed += 1
            print(f"ok: {name} ({time.monotonic() - started:.2f} s)", flush=True)
    except (Failed, grpc.RpcError, grpc.FutureTimeoutError, subprocess.TimeoutExpired) as problem:
        is_status = isinstance(problem, grpc.Call)
        said = f"{problem.code().name}: {problem.details()}" if is_status else problem or repr(problem)
        print(f"FAILED: {name}: {said}", file=sys.stderr)
        if server:
            print("The end of the server's log:", *server.log, sep="\n  ", file=sys.stderr)
        return 1
    finally:
        if server:
            server.process.kill()
            server.process.wait()
    print(f"{passed} checks passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
