"""Agreement between the labels that training uses and an independent second reading of the same texts.

    python agreement.py --data DATA

Prints, per part (written, annotated): Cohen's kappa of sentiment; per cue and over all cues, Cohen's kappa and how often
each reader saw it; for emotions, how often the readers share a label and how often the first label of one is among those of the
other.
"""

import argparse
import collections
import json
import pathlib

import data as D
import labels as L

HERE = pathlib.Path(__file__).parent / "data"


def kappa(pairs):
    n = len(pairs)
    observed = sum(a == b for a, b in pairs) / n
    left, right = collections.Counter(a for a, _ in pairs), collections.Counter(b for _, b in pairs)
    expected = sum(left[k] * right[k] for k in left) / n**2
    return 1.0 if expected == 1 else (observed - expected) / (1 - expected)


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def pairs(root):
    texts = D.referenced(root)
    annotated = {r["ref"]: r for r in read(HERE / "annotated.jsonl")}
    written = read(HERE / "written.jsonl")
    for second in read(HERE / "second_reading.jsonl"):
        source, _, key = second["ref"].partition(":")
        if source == "written":
            first = written[int(key) - 1]
            text = first["text"]
        elif second["ref"] in annotated:
            first, text = annotated[second["ref"]], texts[second["ref"]]
        else:
            continue
        if D.fingerprint(text) != second["sha256"]:
            raise ValueError(f"{second['ref']}: the text is not the one that was read a second time")
        yield "written" if source == "written" else "annotated", first, second


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    found = collections.defaultdict(list)
    for part, first, second in pairs(parser.parse_args().data):
        found[part].append((first, second))
    for part, rows in found.items():
        print(f"{part}: {len(rows)} texts")
        both = [(a["sentiment"], b["sentiment"]) for a, b in rows]
        print(f"  sentiment: same in {sum(a == b for a, b in both) / len(both):.1%}, kappa {kappa(both):.2f}")
        cells = [(c in a["cues"], c in b["cues"]) for a, b in rows for c in L.CUES]
        print(f"  cues: kappa over all cells {kappa(cells):.2f}")
        for cue in L.CUES:
            each = [(cue in a["cues"], cue in b["cues"]) for a, b in rows]
            first, second = (sum(e[i] for e in each) for i in (0, 1))
            if first + second >= 10:
                print(f"    {cue}: kappa {kappa(each):.2f} ({first} and {second} times, both {sum(a and b for a, b in each)})")
        share = sum(bool(set(a["emotions"]) & set(b["emotions"])) for a, b in rows) / len(rows)
        top = sum((a["emotions"][0] in b["emotions"]) + (b["emotions"][0] in a["emotions"]) for a, b in rows) / len(rows) / 2
        print(f"  emotions: share a label in {share:.1%}; the first label of one is among the other's in {top:.1%}")


if __name__ == "__main__":
    main()
