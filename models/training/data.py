"""Readers: every source becomes a list of `Example`s with the labels that the source has, and None where it has none.

Splits: the official one where there is one; otherwise by a hash of the normalised text, so that duplicates fall on one
side (`split_of`). The written messages are split by cluster, so that no situation is on both sides.
"""

import csv
import dataclasses
import hashlib
import json
import pathlib
import re

import labels as L


@dataclasses.dataclass
class Example:
    text: str
    source: str
    split: str  # train | dev | test
    emotions: list | None = None  # 28 floats, None where the source has no emotion labels
    sentiment: list | None = None  # target distribution over SENTIMENTS
    cues: list | None = None  # 20 floats; NaN marks a cue that the source says nothing about
    rationales: list | None = None  # (head, place of the label, character ranges that a person would point at)
    weight: float = 1.0
    key: str = ""  # where the row comes from
    meta: dict = dataclasses.field(default_factory=dict)


def normalise(text):
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


def split_of(key):
    """Eight tenths train, one dev, one test, by the SHA-256 of the key."""
    return {0: "test", 1: "dev"}.get(share_of(key, 10), "train")


def share_of(key, shares):
    """Which of so many equal shares a key is in, from 0, by its SHA-256."""
    return int(hashlib.sha256(key.encode()).hexdigest(), 16) % shares


def one_hot(name):
    return [1.0 if s == name else 0.0 for s in L.SENTIMENTS]


def goemotions(root):
    seen = set()
    for split in ("dev", "test", "train"):
        for row in (root / "goemotions" / f"{split}.tsv").read_text(encoding="utf-8").splitlines():
            text, ids, key = row.split("\t")
            norm = normalise(text)
            if split == "train" and norm in seen:
                continue  # 508 duplicates inside train, and a few across the splits
            seen.add(norm)
            names = [L.EMOTIONS[int(i)] for i in ids.split(",")]
            target = L.sentiment_of_emotions(names)
            only_ambiguous = target == "neutral" and "neutral" not in names
            yield Example(
                text=text,
                source="goemotions",
                split=split,
                emotions=[1.0 if e in names else 0.0 for e in L.EMOTIONS],
                sentiment=one_hot(target) if target and not only_ambiguous else None,
                key=key,
                meta={"ambiguous": only_ambiguous},
            )


def nhs(root):
    phase2 = {"1": "positive", "2": "positive", "3": "neutral", "4": "negative", "5": "negative"}
    seen = set()

    def example(text, target, key):
        text = text.strip()
        norm = normalise(text)
        # Without the question, "Nothing." can't be read: such rows teach noise.
        if len(norm.split()) < 3 or norm in seen or "did not answer" in norm:
            return None
        seen.add(norm)
        return Example(text=text, source="nhs_fft", split=split_of(norm), sentiment=one_hot(target), key=key)

    with open(root / "nhs_fft" / "phase2_v6framework.csv", encoding="utf-8-sig", newline="") as f:
        for row in csv.DictReader(f):
            if target := phase2.get((row["Comment sentiment"] or "").strip()):
                if e := example(row["FFT answer"], target, f"phase2:{row['Comment ID']}"):
                    yield e
    with open(root / "nhs_fft" / "phase1_text_data.csv", encoding="utf-8-sig", newline="") as f:
        for row in csv.DictReader(f):
            try:
                criticality = int(row["criticality"])
            except ValueError:
                continue
            # Zero is given to praise and to remarks alike: it says nothing about sentiment.
            if criticality == 0:
                continue
            target = "positive" if criticality > 0 else "negative"
            # A question about faults turns "no complaints" into praise and a topic into a criticism.
            if len(normalise(row["feedback"]).split()) < 5:
                continue
            if e := example(row["feedback"], target, f"phase1:{row['row_index']}"):
                yield e


def uci(root):
    seen = set()
    for name in ("amazon_cells_labelled", "yelp_labelled", "imdb_labelled", "heldout_mixed"):
        path = root / "uci_sentences" / f"{name}.txt"
        for n, row in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            text, _, value = row.rpartition("\t")
            norm = normalise(text)
            if value.strip() in ("0", "1") and norm and norm not in seen:
                seen.add(norm)
                target = "positive" if value.strip() == "1" else "negative"
                yield Example(
                    text=text.strip(), source="uci_sentences", split=split_of(norm),
                    sentiment=one_hot(target), key=f"{name}:{n}",
                )


def own_targets(row):
    """The targets of a row that the project labelled on every head."""
    return {
        "emotions": [1.0 if e in row["emotions"] else 0.0 for e in L.EMOTIONS],
        "sentiment": [0.5, 0.0, 0.5] if row["sentiment"] == "mixed" else one_hot(row["sentiment"]),
        "cues": [1.0 if c in row["cues"] else 0.0 for c in L.CUES],
    }


def written(path):
    """Messages the project wrote itself: `data/written.jsonl`."""
    for n, row in enumerate(pathlib.Path(path).read_text(encoding="utf-8").splitlines(), 1):
        r = json.loads(row)
        yield Example(
            text=r["text"],
            source="written",
            split=split_of("cluster:" + r["cluster"]),
            **own_targets(r),
            key=f"written:{n}",
            meta={"sentiment": r["sentiment"], "hard": r.get("hard", []), "channel": r["channel"]},
        )


def adjudicated(examples, path):
    """Cues of training messages that a model and the labels disagreed on, decided again by somebody who knew neither:
    `data/adjudicated.jsonl`. A cell on which careful people would differ is masked."""
    rows = (json.loads(row) for row in pathlib.Path(path).read_text(encoding="utf-8").splitlines())
    decided = {r["ref"]: r for r in rows}
    for e in examples:
        r = decided.get(e.key)
        if r is None:
            continue
        if fingerprint(e.text) != r["sha256"]:
            raise ValueError(f"{e.key}: the text is not the one that was decided on")
        for cue, value in r["cues"].items():
            e.cues[L.CUES.index(cue)] = float("nan") if value is None else float(value)
    return examples


def agreed(examples, path):
    """Copies of dev and test messages without the cells on which the writer and a second reader, who saw no label, differ or
    the reader was in doubt: `data/held_out_reading.jsonl`. Of a message's emotions both readers' are acceptable."""
    read = {r["ref"]: r for r in map(json.loads, pathlib.Path(path).read_text(encoding="utf-8").splitlines())}
    for e in examples:
        r = read[e.key]
        if fingerprint(e.text) != r["sha256"]:
            raise ValueError(f"{e.key}: the text is not the one that was read")
        same = r["sentiment"] == e.meta["sentiment"] and "sentiment" not in r["doubt"]
        cues = [
            value if cue not in r["doubt"] and (value == 1.0) == (cue in r["cues"]) else float("nan")
            for cue, value in zip(L.CUES, e.cues)
        ]
        yield dataclasses.replace(e, source="agreed", sentiment=e.sentiment if same else None, cues=cues)


def mark(examples, path):
    """Gives written examples the spans of `data/rationales.jsonl` that say why a label is there."""
    heads = {"cue": L.CUES, "emotion": L.EMOTIONS}
    by_key = {e.key: e for e in examples if e.source == "written"}
    for row in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        r = json.loads(row)
        e = by_key.get(r["ref"])
        if e is None:
            continue
        if fingerprint(e.text) != r["sha256"]:
            raise ValueError(f"{r['ref']}: the text is not the one that was marked")
        head, _, label = r["label"].partition(":")
        starts = [(e.text.index(span), len(span)) for span in r["spans"]]
        e.rationales = (e.rationales or []) + [(head, heads[head].index(label), [(a, a + n) for a, n in starts])]


def exam(path):
    """Texts that nobody who wrote training text has seen: `data/exam.jsonl` and `data/second_exam.jsonl`, only ever a test split.
    `emotions` holds every label that would be acceptable as the main one. The source is the file's name."""
    for n, row in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        r = json.loads(row)
        yield Example(
            text=r["text"],
            source=path.stem,
            split="test",
            **own_targets(r),
            key=f"{path.stem}:{n}",
            meta={"sentiment": r["sentiment"]},
        )


def annotated(path, root):
    """Real texts of public sets, labelled on every head by the project: `data/annotated.jsonl` holds references and labels,
    the texts come from `root`. A reference whose text has changed at its source is an error."""
    texts = referenced(root)
    for row in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        r = json.loads(row)
        text = texts[r["ref"]]
        if fingerprint(text) != r["sha256"]:
            raise ValueError(f"{r['ref']}: the text is not the one that was labelled")
        yield Example(
            text=text,
            source="annotated",
            split=split_of(normalise(text)),
            **own_targets(r),
            key=r["ref"],
            meta={"sentiment": r["sentiment"], "part": r["ref"].split(":")[0]},
        )


def fingerprint(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def referenced(root):
    """Text by reference (`source:key`), for every set that has annotated rows."""
    found = {f"{e.source}:{e.key}": e.text for e in (*nhs(root), *uci(root))}
    found.update({f"{e.source}:{e.key}": e.text.strip() for e in public_cues(root) if e.source != "multidogo"})
    found.update({f"multidogo:{path.stem}:{n}": r["utterance"].strip() for path, n, r in multidogo(root)})
    return found


def multidogo(root):
    for path in sorted((root / "multidogo").glob("*_train.tsv")):
        with open(path, encoding="utf-8", newline="") as f:
            for n, r in enumerate(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)):
                if r["utterance"]:
                    yield path, n, r


UNKNOWN = float("nan")


def _cue_row(present=(), absent=L.CUES):
    return [1.0 if c in present else 0.0 if c in absent else UNKNOWN for c in L.CUES]


def public_cues(root):
    """Public intent sets, as far as an intent settles a cue. What it leaves open stays unknown (masked)."""
    explicit = [c for c in L.CUES if c not in ("unresolved_issue", "repeat_contact", "urgency", "vulnerability")]
    quiet = [
        "legal_threat", "regulator_threat", "public_exposure_threat", "safety_risk", "abusive_language",
        "formal_complaint", "advocacy", "renewal_hesitation", "supervisor_request",
    ]

    def make(text, source, key, present, absent):
        norm = normalise(text)
        return Example(text=text, source=source, split=split_of(norm), cues=_cue_row(present, absent), key=key)

    for domain in ("banking", "hotels"):
        for fold in range(20):
            for n, r in enumerate(json.loads((root / "nlupp" / domain / f"fold{fold}.json").read_text())):
                intents = set(r.get("intents", []))
                present = ["supervisor_request"] if "handoff" in intents else []
                yield make(r["text"], "nlupp", f"{domain}:{fold}:{n}", present, quiet + present)
    for name in ("curekart", "powerplay11", "sofmattress"):
        with open(root / "hint3" / "v2" / "train" / f"{name}_train.csv", encoding="utf-8", newline="") as f:
            for n, r in enumerate(csv.DictReader(f)):
                present = ["supervisor_request"] if "AGENT" in (r["label"] or "") else []
                yield make(r["sentence"], "hint3", f"{name}:{n}", present, quiet)
    with open(root / "banking77" / "train.csv", encoding="utf-8", newline="") as f:
        for n, r in enumerate(csv.DictReader(f)):
            yield make(r["text"], "banking77", f"train:{n}", [], quiet + ["advocacy", "churn_intent", "expansion_interest"])
    for path in sorted((root / "dstc11_natcs").glob("*.jsonl")):
        for n, row in enumerate(path.read_text(encoding="utf-8").splitlines()):
            r = json.loads(row)
            yield make(r["utterance"], "natcs", f"{path.stem}:{n}", [], quiet)
    ordinary = ["openinggreeting", "closinggreeting", "thankyou", "contentonly", "confirmation"]
    for path, n, r in multidogo(root):
        if len(r["utterance"].split()) < 4 or n % 6:
            continue
        if (r["intent"] or "").lower() in ordinary:
            yield make(r["utterance"], "multidogo", f"{path.stem}:{n}", [], explicit)
