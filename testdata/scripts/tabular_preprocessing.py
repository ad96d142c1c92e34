"""Clean, encode and split tabular CSV shards for model training."""

import argparse
import csv
import glob
import hashlib
import itertools
import json
import math
import os
import statistics
from typing import Any, Dict, Iterator, List, Tuple

Row = Dict[str, Any]
Batch = Tuple[List[str], List[List[str]]]  # the header and some rows of one shard
CONFIG_KEYS = ("id_column", "label_column", "numeric_columns", "categorical_columns")


class RejectedRow(Exception):
    """A row that cannot be used; the message is the reason counted in the metrics."""


def load_config(path: str) -> Dict[str, Any]:
    """Read the column roles from the JSON configuration."""
    with open(path, encoding="utf-8") as handle:
        config = json.load(handle)
    missing = [key for key in CONFIG_KEYS if key not in config]
    if missing:
        raise ValueError(f"config {path} lacks: {', '.join(missing)}")
    return config


def find_shards(directory: str) -> List[str]:
    """List the CSV shards, sorted so that the row order never depends on the file system."""
    shards = sorted(glob.glob(os.path.join(glob.escape(directory), "*.csv")))
    if not shards:
        raise FileNotFoundError(f"no CSV shards found in {directory}")
    return shards


def read_batches(shard: str, required: List[str], batch_size: int) -> Iterator[Batch]:
    """Yield (header, rows) with at most batch_size rows, so a large shard is never held whole."""
    with open(shard, newline="", encoding="utf-8") as handle:
        reader = csv.reader(handle)
        header = next(reader, [])
        for column in required:
            if column not in header:
                raise ValueError(f"shard {os.path.basename(shard)} has no column '{column}'")
        rows = (cells for cells in reader if cells)  # a blank line is not a row
        # iter() with a sentinel stops at the first empty batch, which is the end of the shard.
        for batch in iter(lambda: list(itertools.islice(rows, batch_size)), []):
            yield header, batch


def parse_row(header: List[str], cells: List[str], config: Dict[str, Any]) -> Row:
    """Turn raw cells into typed values; an empty numeric cell becomes None."""
    if len(cells) != len(header):
        raise RejectedRow("wrong_column_count")
    raw = {name: cell.strip() for name, cell in zip(header, cells)}
    if not all(raw[column] for column in [config["id_column"], *config["categorical_columns"]]):
        raise RejectedRow("missing_value")
    if raw[config["label_column"]] not in ("0", "1"):
        raise RejectedRow("bad_label")
    row: Row = dict(raw)
    for column in config["numeric_columns"]:
        try:
            row[column] = float(raw[column]) if raw[column] else None
        except ValueError:
            raise RejectedRow("non_numeric") from None
        # float() accepts "nan" and "inf", which would poison the mean of the whole column.
        if not math.isfinite(row[column] or 0.0):
            raise RejectedRow("non_numeric")
    return row


def clean_rows(
    shards: List[str], config: Dict[str, Any], batch_size: int
) -> Tuple[Dict[str, Row], Dict[str, int], int]:
    """Return the usable rows by id, the dropped rows by reason and the number of rows read."""
    id_column, label = config["id_column"], config["label_column"]
    required = [id_column, *config["numeric_columns"], *config["categorical_columns"], label]
    clean: Dict[str, Row] = {}
    dropped: Dict[str, int] = {}
    rows_read = 0
    for shard in shards:
        for header, batch in read_batches(shard, required, batch_size):
            rows_read += len(batch)
            for cells in batch:
                try:
                    row = parse_row(header, cells, config)
                    # The first record of a customer wins, as the shards arrive in order.
                    if row[id_column] in clean:
                        raise RejectedRow("duplicate_id")
                    clean[row[id_column]] = row
                except RejectedRow as reason:
                    dropped[str(reason)] = dropped.get(str(reason), 0) + 1
    return clean, dropped, rows_read


def in_test_split(customer_id: str, fraction: float) -> bool:
    """Decide the split from the id alone, so a customer stays put when the data grows."""
    digest = hashlib.sha256(customer_id.encode("utf-8")).hexdigest()
    return int(digest[:8], 16) / 0x100000000 < fraction


def fit_numeric(rows: List[Row], column: str) -> Tuple[float, float, float]:
    """Return the median, mean and standard deviation of one column of the training rows."""
    known = [row[column] for row in rows if row[column] is not None]
    if not known:
        raise ValueError(f"column '{column}' has no values in the training split")
    median = statistics.median(known)
    filled = known + [median] * (len(rows) - len(known))
    # fsum, not sum: the rounding of sum() differs between Python versions.
    mean = math.fsum(filled) / len(filled)
    std = math.sqrt(math.fsum((value - mean) ** 2 for value in filled) / len(filled))
    return median, mean, std or 1.0  # a constant column becomes zeros, not a division by zero


def main(
    input_paths: Dict[str, str],
    output_paths: Dict[str, str],
    environ_vars: Dict[str, str],
    job_args: argparse.Namespace,
) -> Dict[str, int]:
    """Run the step; environ_vars is part of the common signature, CHURN_ENV is read live."""
    if not 0.0 < job_args.validation_split < 1.0:
        raise ValueError(f"validation_split must be in (0, 1), got {job_args.validation_split}")
    if job_args.batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {job_args.batch_size}")
    environment = os.environ.get("CHURN_ENV", "local")
    config = load_config(input_paths["config"])
    id_column, label = config["id_column"], config["label_column"]
    numeric, categorical = config["numeric_columns"], config["categorical_columns"]
    shards = find_shards(input_paths["data_input"])
    print(f"[preprocessing] {len(shards)} shards, environment {environment}")

    clean, dropped, rows_read = clean_rows(shards, config, job_args.batch_size)
    if not clean:
        raise ValueError(f"no rows left after cleaning: {rows_read} read, all dropped")
    print(f"[preprocessing] read {rows_read} rows, dropped {sum(dropped.values())}")

    splits: Dict[str, List[Row]] = {"train": [], "test": []}
    for customer_id, row in clean.items():
        name = "test" if in_test_split(customer_id, job_args.validation_split) else "train"
        splits[name].append(row)
    counts = {name: len(rows) for name, rows in splits.items()}
    if not all(counts.values()):
        raise ValueError(f"empty split: {counts['train']} train and {counts['test']} test rows")

    # Everything is learnt from the training rows only; the test rows must not leak into it.
    scale = {column: fit_numeric(splits["train"], column) for column in numeric}
    levels = {c: sorted({row[c] for row in splits["train"]}) for c in categorical}
    one_hot = [f"{column}_{level}" for column in categorical for level in levels[column]]
    filled = {c: sum(row[c] is None for row in clean.values()) for c in numeric}
    os.makedirs(output_paths["data_output"], exist_ok=True)
    for name, rows in splits.items():
        table = []
        for row in rows:
            cells = [row[id_column]]
            for column in numeric:
                median, mean, std = scale[column]
                value = median if row[column] is None else row[column]
                cells.append(f"{(value - mean) / std:.6f}")
            cells += [str(int(row[c] == level)) for c in categorical for level in levels[c]]
            table.append(cells + [row[label]])
        path = os.path.join(output_paths["data_output"], f"{name}.csv")
        with open(path, "w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow([id_column, *numeric, *one_hot, label])
            writer.writerows(table)
        print(f"[preprocessing] wrote {len(table)} rows to {name}.csv")

    metrics = {
        "environment": environment,
        "job_type": getattr(job_args, "job_type", None) or "training",
        "rows_read": rows_read,
        "rows_dropped": sum(dropped.values()),
        "dropped_by_reason": dict(sorted(dropped.items())),
        "filled_missing": filled,
        "rows_per_split": counts,
    }
    os.makedirs(output_paths["metrics"], exist_ok=True)
    path = os.path.join(output_paths["metrics"], "preprocessing_metrics.json")
    with open(path, "w", newline="\n", encoding="utf-8") as handle:
        handle.write(json.dumps(metrics, indent=2) + "\n")
    return {"rows_read": rows_read, "rows_train": counts["train"], "rows_test": counts["test"]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--data_input", "--config", "--data_output", "--metrics"):
        parser.add_argument(option, required=True)
    parser.add_argument("--validation_split", type=float, default=0.2)
    parser.add_argument("--batch_size", type=int, default=64)
    parser.add_argument("--job_type", default="training")
    args = parser.parse_args()
    inputs = {"data_input": args.data_input, "config": args.config}
    outputs = {"data_output": args.data_output, "metrics": args.metrics}
    main(inputs, outputs, dict(os.environ), args)
