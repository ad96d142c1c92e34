"""Times the matching of 50 outputs to 50 inputs, 5 aliases each, in Python and in Go.

    python3 bench/python/match.py

The Python side is a plain reading of the rules (five levels, then the weighted similarity); both get
the same names, and must find the same matches.
"""

import difflib
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SPELT_OUT = {
    "config": "configuration", "params": "parameters", "hyperparams": "hyperparameters", "preprocess": "preprocessing",
    "eval": "evaluation", "reg": "registration", "pkg": "package", "packaged": "package",
}
STOP = set("the a an and or but in on at to for of with by".split())
GROUPS = [set(line.split()) for line in (
    "model artifact trained output", "data dataset input processed training",
    "config configuration params parameters hyperparameters settings", "payload sample test inference example",
    "output result artifact generated produced", "training train fit learn",
    "preprocessing preprocess processed clean transform",
)]


def normalise(name):
    text = re.sub(r"[^a-z0-9\s]", "", re.sub(r"[_\-.]", " ", name.lower()))
    words = [SPELT_OUT.get(word, word) for word in text.split()]
    return " ".join(word for word in words if word not in STOP)


def part(a, b):
    short, long = sorted((a, b), key=len)
    return len(short) / len(long) if long and short in long else 0.0


def similarity(a, b):
    if not a or not b:
        return 0.0
    x, y = normalise(a), normalise(b)
    if x == y:
        return 1.0
    p, q = set(x.split()), set(y.split())
    ratio = difflib.SequenceMatcher(None, x, y).ratio()
    token = len(p & q) / len(p | q) if p | q else 0.0
    pairs = [1.0 if v == w else 0.8 if any(v in g and w in g for g in GROUPS) else 0.0 for v in p for w in q]
    semantic = sum(pairs) / len(pairs) if pairs else 0.0
    within = part(x, y) or max((part(v, w) for v in p for w in q if len(v) > 2 and len(w) > 2), default=0.0)
    return 0.30 * ratio + 0.25 * token + 0.25 * semantic + 0.20 * within


def match(outputs, inputs, threshold=0.7):
    found = []
    for s in outputs:
        for d in inputs:
            common = [alias for alias in s["aliases"] if alias in d["aliases"]]
            if s["name"] == d["name"]:
                found.append((1.0, s["name"], d["name"]))
            elif s["name"] in d["aliases"] or d["name"] in s["aliases"]:
                found.append((0.95, s["name"], d["name"]))
            elif common:
                found.append((0.9, s["name"], d["name"]))
            else:
                score = similarity(s["name"], d["name"])
                if score >= threshold:
                    found.append((score, s["name"], d["name"]))
    return sorted(found, key=lambda m: (-m[0], m[1], m[2]))


def names(random_state, side):
    words = "data model config metrics training processed raw input output artifact payload risk table report".split()
    listed = {}
    while len(listed) < 50:
        name = "_".join(random_state.sample(words, 3)) + "_%s%d" % (side, len(listed) % 7)
        listed[name] = [random_state.choice(words) + "_%d" % random_state.randrange(400) for _ in range(5)]
    return [{"name": name, "aliases": aliases} for name, aliases in listed.items()]


def main():
    random_state = random.Random(1)
    outputs, inputs = names(random_state, "o"), names(random_state, "i")
    start = time.perf_counter()
    theirs = match(outputs, inputs)
    python_time = time.perf_counter() - start
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump({"outputs": outputs, "inputs": inputs}, f)
        f.flush()
        out = subprocess.run(
            ["go", "run", "./bench/python", "match", f.name], cwd=str(REPOSITORY), check=True, stdout=subprocess.PIPE
        ).stdout
    ours = json.loads(out)
    pairs = [(m["source_logical_name"], m["dest_logical_name"]) for m in ours["matches"]]
    scores = [m["confidence"] for m in ours["matches"]]
    if pairs != [m[1:] for m in theirs] or any(abs(a - m[0]) > 1e-9 for a, m in zip(scores, theirs)):
        sys.exit("the two sides found different matches")
    print("50 x 50 names with 5 aliases: %d matches on both sides" % len(theirs))
    print("Python %.1f ms, Go %.3f ms, %.0f times faster" % (python_time * 1e3, ours["seconds"] * 1e3, python_time / ours["seconds"]))


if __name__ == "__main__":
    main()
