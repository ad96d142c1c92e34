"""Train a logistic regression on standardised features by gradient descent."""

import csv
import glob
import json
import math
import os
import statistics


def load(directory):
    """Read the one CSV of a split: header, features, labels."""
    (path,) = glob.glob(os.path.join(glob.escape(directory), "*.csv"))
    with open(path, newline="", encoding="utf-8") as handle:
        reader = csv.reader(handle)
        header = next(reader)[1:]
        rows = [[float(cell) for cell in row] for row in reader]
    return header, [row[1:] for row in rows], [int(row[0]) for row in rows]


def sigmoid(z):
    """Never calls exp with a large positive number."""
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    return math.exp(z) / (1 + math.exp(z))


def train(features, labels, epochs, rate, penalty):
    """Full batches from zero weights: no random numbers, so every run gives the same model."""
    weights, bias, count = [0.0] * len(features[0]), 0.0, len(labels)
    for _ in range(epochs):
        gradient, bias_gradient = [0.0] * len(weights), 0.0
        for x, y in zip(features, labels):
            error = sigmoid(bias + sum(w * v for w, v in zip(weights, x))) - y
            bias_gradient += error
            for i, v in enumerate(x):
                gradient[i] += error * v
        weights = [w - rate * (g / count + penalty * w) for w, g in zip(weights, gradient)]
        bias -= rate * bias_gradient / count
    return weights, bias


def main(input_paths, output_paths, environ_vars, job_args):
    header, features, labels = load(input_paths["processed_data"])
    means = [statistics.fmean(column) for column in zip(*features)]
    scales = [statistics.pstdev(column) or 1.0 for column in zip(*features)]
    scaled = [[(v - m) / s for v, m, s in zip(row, means, scales)] for row in features]
    weights, bias = train(scaled, labels, job_args.epochs, job_args.learning_rate, job_args.penalty)
    model = {"features": header, "means": means, "scales": scales, "weights": weights, "bias": bias}
    with open(os.path.join(output_paths["model"], "model.json"), "w", encoding="utf-8") as handle:
        json.dump(model, handle, indent=2)
    print(f"{len(labels)} rows, {len(header)} features, {job_args.epochs} epochs")
