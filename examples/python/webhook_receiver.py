#!/usr/bin/env python3
"""Receives attune's webhooks: checks who sent them, takes each event once, and prints it as a line of JSON.

The secret is read from a file that holds the same whsec_… as the sink's. Needs `pip install standardwebhooks`.
"""

import argparse
import http.server
import json
import sys
from pathlib import Path

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

# Events are small; whoever sends more is not attune.
MOST_BYTES = 1 << 20


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers 204 to what it has taken, now or before, and 401 to what it can't trust."""

    webhook: Webhook
    # In earnest: a table with a unique column, written in the transaction that handles the event.
    taken: set[str] = set()

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        if length > MOST_BYTES:
            return self.answer(413)
        body = self.rfile.read(length)
        try:
            # The bytes as they came: JSON that was parsed and written again has another signature.
            event = self.webhook.verify(body, {key.lower(): value for key, value in self.headers.items()})
        except WebhookVerificationError as problem:
            print(f"refused: {problem}", file=sys.stderr, flush=True)
            return self.answer(401)
        if event["id"] not in self.taken:
            self.taken.add(event["id"])
            print(json.dumps({"type": event["type"], "subject": event["subject"], "id": event["id"]}), flush=True)
        return self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_) -> None:
        """Says nothing: the address of a request may hold a secret."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 for a free one")
    parser.add_argument("--secret", type=Path, required=True, help="file with whsec_…")
    options = parser.parse_args()
    Receiver.webhook = Webhook(options.secret.read_text().strip())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Receiver)
    print(json.dumps({"listening": f"http://127.0.0.1:{server.server_port}/"}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
