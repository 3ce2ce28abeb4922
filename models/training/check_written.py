"""Checks the written messages: labels, near-duplicates, reused skeletons. Exits with 1 when a bound is broken.

    python check_written.py [data/written.jsonl]

Bounds: labels from the sets; `neutral` alone; no cue both present and a hard negative; no two messages whose word 5-grams
overlap by more than 20 % of the shorter one's (with at least four of them shared); no opening of three words more often than
once in 150 messages.
"""

import collections
import json
import pathlib
import re
import sys

import labels as L

SENTIMENTS = {*L.SENTIMENTS, "mixed"}
CHANNELS = {"chat", "email", "ticket", "phone", "survey", "social", "sms"}
GRAM, OVERLAP, SHARED = 5, 0.20, 4
OPENING = 1 / 150


def words(text):
    return re.findall(r"[a-z0-9']+", text.lower())


def problems_of(row):
    emotions, cues, hard = row["emotions"], set(row["cues"]), set(row["hard"])
    if row["sentiment"] not in SENTIMENTS:
        yield f"sentiment {row['sentiment']!r}"
    if not emotions or set(emotions) - set(L.EMOTIONS) or len(emotions) > 4:
        yield f"emotions {emotions}"
    if "neutral" in emotions and len(emotions) > 1:
        yield "neutral does not stand alone"
    if cues - set(L.CUES):
        yield f"cues {sorted(cues - set(L.CUES))}"
    if hard - set(L.CUES) - {"sentiment"} or hard & cues:
        yield f"hard {sorted(hard)}"
    if row["channel"] not in CHANNELS or not row["cluster"] or not row["text"].strip():
        yield "channel, cluster or text"


def near_duplicates(rows):
    grams = [{tuple(w[i : i + GRAM]) for i in range(len(w) - GRAM + 1)} for w in (words(r["text"]) for r in rows)]
    places = collections.defaultdict(list)
    for n, of_row in enumerate(grams):
        for gram in of_row:
            places[gram].append(n)
    shared = collections.Counter()
    for at in places.values():
        for i, a in enumerate(at):
            for b in at[i + 1 :]:
                shared[a, b] += 1
    for (a, b), count in shared.items():
        share = count / min(len(grams[a]), len(grams[b]))
        if count >= SHARED and share > OVERLAP:
            yield a, b, share


def main():
    path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "data" / "written.jsonl")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    found = [f"line {n}: {p}" for n, row in enumerate(rows, 1) for p in problems_of(row)]
    found += [f"lines {a + 1} and {b + 1}: {share:.0%} of the shorter one's word 5-grams" for a, b, share in near_duplicates(rows)]
    openings = collections.Counter(tuple(words(r["text"])[:3]) for r in rows if len(words(r["text"])) > 5)
    found += [f"opening {' '.join(o)!r}: {n} times" for o, n in openings.items() if n > len(rows) * OPENING]
    counts = collections.Counter(c for r in rows for c in r["cues"])
    print(f"{len(rows)} messages, {len({r['cluster'] for r in rows})} clusters, {sum(not r['cues'] for r in rows)} without a cue, "
          f"{sum(bool(r['hard']) for r in rows)} hard negatives")
    print("sentiment", dict(collections.Counter(r["sentiment"] for r in rows)))
    print("cues", dict(counts.most_common()))
    print("emotions", dict(collections.Counter(e for r in rows for e in r["emotions"]).most_common()))
    for line in found:
        print(line)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
