"""Calibrate a model on one half of the data that was held out, and evaluate it on the other."""

import csv
import glob
import json
import math
import os


def sigmoid(z):
    """Never calls exp with a large positive number."""
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    return math.exp(z) / (1 + math.exp(z))


def score(model, path):
    """Return the model's raw score and the label of each row."""
    scored = []
    with open(path, newline="", encoding="utf-8") as handle:
        reader = csv.reader(handle)
        header = next(reader)[1:]
        if header != model["features"]:
            raise ValueError(f"the model has the features {model['features']}, the data {header}")
        for row in reader:
            z = model["bias"]
            for cell, mean, scale, weight in zip(row[1:], model["means"], model["scales"], model["weights"]):
                z += weight * (float(cell) - mean) / scale
            scored.append((z, int(row[0])))
    return scored


def platt(scored, steps=500, rate=0.1):
    """Fit slope and offset of a sigmoid over the raw scores."""
    slope, offset = 1.0, 0.0
    for _ in range(steps):
        errors = [(sigmoid(slope * z + offset) - y, z) for z, y in scored]
        slope -= rate * sum(e * z for e, z in errors) / len(errors)
        offset -= rate * sum(e for e, _ in errors) / len(errors)
    return slope, offset


def auc(scored):
    """The chance that a customer who left scores higher than one who stayed; a tie counts half."""
    left = [z for z, y in scored if y]
    stayed = [z for z, y in scored if not y]
    if not left or not stayed:
        raise ValueError("AUC is undefined: all labels are the same")
    wins = sum((a > b) + 0.5 * (a == b) for a in left for b in stayed)
    return wins / (len(left) * len(stayed))


def brier(scored, slope, offset):
    """The mean squared error of the probabilities."""
    return sum((sigmoid(slope * z + offset) - y) ** 2 for z, y in scored) / len(scored)


def main(input_paths, output_paths, environ_vars, job_args):
    with open(os.path.join(input_paths["model"], "model.json"), encoding="utf-8") as handle:
        model = json.load(handle)
    (path,) = glob.glob(os.path.join(glob.escape(input_paths["holdout_data"]), "*.csv"))
    scored = score(model, path)
    fit, test = scored[::2], scored[1::2]
    slope, offset = platt(fit)
    metrics = {
        "rows": len(test),
        "auc": round(auc(test), 4),
        "brier_before": round(brier(test, 1.0, 0.0), 4),
        "brier_after": round(brier(test, slope, offset), 4),
    }
    model.update(slope=slope, offset=offset)
    with open(os.path.join(output_paths["calibrated_model"], "model.json"), "w", encoding="utf-8") as handle:
        json.dump(model, handle, indent=2)
    with open(os.path.join(output_paths["metrics"], "metrics.json"), "w", encoding="utf-8") as handle:
        json.dump(metrics, handle, indent=2)
    print(f"AUC {metrics['auc']}, Brier score {metrics['brier_before']} -> {metrics['brier_after']}")
