"""Train a logistic regression on the prepared splits and evaluate it on the test split."""

import argparse
import csv
import json
import math
import os
from typing import Dict, List, NamedTuple, Tuple

ID_COLUMN = "customer_id"
LABEL_COLUMN = "churned"
METRIC_NAMES = ("accuracy", "precision", "recall", "f1", "auc")


class Split(NamedTuple):
    """One split: ids, feature names, feature matrix and labels."""

    ids: List[str]
    names: List[str]
    features: List[List[float]]
    labels: List[int]


def load_split(directory: str, name: str) -> Split:
    """Read one prepared CSV; every column but the id and the label is a feature."""
    path = os.path.join(directory, name)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"split not found: {path}")
    with open(path, newline="", encoding="utf-8") as handle:
        reader = csv.DictReader(handle)
        columns = list(reader.fieldnames or [])
        for column in (ID_COLUMN, LABEL_COLUMN):
            if column not in columns:
                raise ValueError(f"{name} has no column '{column}'")
        names = [column for column in columns if column not in (ID_COLUMN, LABEL_COLUMN)]
        split = Split([], names, [], [])
        for row in reader:
            try:
                features = [float(row[column]) for column in names]
                label = ("0", "1").index(row[LABEL_COLUMN])
            except (TypeError, ValueError):
                raise ValueError(f"{name} line {reader.line_num}: malformed row") from None
            split.ids.append(row[ID_COLUMN])
            split.features.append(features)
            split.labels.append(label)
    if not split.ids:
        raise ValueError(f"{name} has no rows")
    return split


def sigmoid(z: float) -> float:
    """Logistic function, written so that exp() never sees a large positive number."""
    if z >= 0:
        return 1.0 / (1.0 + math.exp(-z))
    ez = math.exp(z)
    return ez / (1.0 + ez)


def predict(weights: List[float], bias: float, features: List[float]) -> float:
    """Return the churn probability of one customer."""
    z = bias
    for weight, value in zip(weights, features):
        z += weight * value
    return sigmoid(z)


def train(split: Split, epochs: int, learning_rate: float) -> Tuple[List[float], float]:
    """Batch gradient descent from zero weights: no random start, so no seed is needed."""
    count, width = len(split.labels), len(split.names)
    weights, bias = [0.0] * width, 0.0
    for _ in range(epochs):
        gradient, bias_gradient = [0.0] * width, 0.0
        for features, label in zip(split.features, split.labels):
            error = predict(weights, bias, features) - label
            bias_gradient += error
            for i, value in enumerate(features):
                gradient[i] += error * value
        weights = [w - learning_rate * g / count for w, g in zip(weights, gradient)]
        bias -= learning_rate * bias_gradient / count
    return weights, bias


def area_under_curve(labels: List[int], scores: List[float]) -> float:
    """AUC by the rank sum; tied scores share their average rank."""
    positives = sum(labels)
    negatives = len(labels) - positives
    if not positives or not negatives:
        raise ValueError("AUC is undefined: the test split holds a single class")
    order = sorted(range(len(scores)), key=lambda i: scores[i])
    rank_sum, start = 0.0, 0
    while start < len(order):
        end = start
        while end < len(order) and scores[order[end]] == scores[order[start]]:
            end += 1
        average_rank = (start + 1 + end) / 2
        rank_sum += average_rank * sum(labels[i] for i in order[start:end])
        start = end
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def evaluate(labels: List[int], scores: List[float], threshold: float) -> Dict[str, float]:
    """Compute every metric, rounded so that libm differences do not show in the report."""
    guesses = [int(score >= threshold) for score in scores]
    hits = sum(guess and label for guess, label in zip(guesses, labels))
    right = sum(guess == label for guess, label in zip(guesses, labels))
    # With nothing predicted (or nothing to find) the ratio is 0 by convention, not an error.
    precision = hits / sum(guesses) if sum(guesses) else 0.0
    recall = hits / sum(labels) if sum(labels) else 0.0
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    values = (right / len(labels), precision, recall, f1, area_under_curve(labels, scores))
    return {name: round(value, 6) for name, value in zip(METRIC_NAMES, values)}


def main(
    input_paths: Dict[str, str],
    output_paths: Dict[str, str],
    environ_vars: Dict[str, str],
    job_args: argparse.Namespace,
) -> Dict[str, float]:
    """Run the step; job_args.metrics picks what is printed, metrics.json always holds all."""
    model_type = environ_vars.get("MODEL_TYPE", "logistic")
    if model_type != "logistic":
        raise ValueError(f"unsupported MODEL_TYPE '{model_type}', only 'logistic' is known")
    if job_args.epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {job_args.epochs}")
    if job_args.learning_rate <= 0:
        raise ValueError(f"learning_rate must be positive, got {job_args.learning_rate}")
    if not 0.0 <= job_args.threshold <= 1.0:
        raise ValueError(f"threshold must be in [0, 1], got {job_args.threshold}")
    unknown = [name for name in job_args.metrics if name not in METRIC_NAMES]
    if unknown:
        raise ValueError(f"unknown metrics: {', '.join(unknown)}")

    train_split = load_split(input_paths["data_input"], "train.csv")
    test_split = load_split(input_paths["data_input"], "test.csv")
    # Weights are matched to columns by position, so a reordered file would go wrong silently.
    if train_split.names != test_split.names:
        raise ValueError("train.csv and test.csv do not have the same feature columns")
    print(f"[evaluation] training on {len(train_split.ids)} rows, {job_args.epochs} epochs")
    weights, bias = train(train_split, job_args.epochs, job_args.learning_rate)
    scores = [predict(weights, bias, features) for features in test_split.features]
    metrics = evaluate(test_split.labels, scores, job_args.threshold)
    print(f"[evaluation] tested on {len(test_split.ids)} rows")
    for name in job_args.metrics:
        print(f"[evaluation] {name}: {metrics[name]:.4f}")

    os.makedirs(output_paths["metrics_output"], exist_ok=True)
    path = os.path.join(output_paths["metrics_output"], "metrics.json")
    with open(path, "w", newline="\n", encoding="utf-8") as handle:
        handle.write(json.dumps(metrics, indent=2) + "\n")
    os.makedirs(output_paths["predictions_output"], exist_ok=True)
    path = os.path.join(output_paths["predictions_output"], "predictions.csv")
    with open(path, "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow([ID_COLUMN, LABEL_COLUMN, "probability", "predicted"])
        for customer_id, label, score in zip(test_split.ids, test_split.labels, scores):
            guess = int(score >= job_args.threshold)
            writer.writerow([customer_id, label, f"{score:.6f}", guess])
    return metrics


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--data_input", "--metrics_output", "--predictions_output"):
        parser.add_argument(option, required=True)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--learning_rate", type=float, default=0.3)
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--metrics", nargs="+", default=list(METRIC_NAMES))
    args = parser.parse_args()
    main(
        {"data_input": args.data_input},
        {
            "metrics_output": args.metrics_output,
            "predictions_output": args.predictions_output,
        },
        dict(os.environ),
        args,
    )
