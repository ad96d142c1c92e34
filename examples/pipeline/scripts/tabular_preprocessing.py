"""Take one split of the raw shards: check rows, fill gaps, encode categories."""

import csv
import glob
import hashlib
import json
import os
import statistics

# The share of customers that each job type gets, as hundredths of a hash of their id: the same
# customer is in the same split in every run, and in no two of them.
SPLITS = {"training": range(0, 60), "validation": range(60, 100)}


def bucket(customer_id):
    """Return a number from 0 to 99 that depends on the id alone."""
    return int(hashlib.sha256(customer_id.encode("utf-8")).hexdigest()[:8], 16) % 100


def read_rows(directory, config):
    """Yield the usable rows of all shards as dicts, and None for each row that is not."""
    shards = sorted(glob.glob(os.path.join(glob.escape(directory), "*.csv")))
    if not shards:
        raise FileNotFoundError(f"no CSV shards in {directory}")
    for shard in shards:
        with open(shard, newline="", encoding="utf-8") as handle:
            for row in csv.DictReader(handle):
                try:
                    for column in config["numeric_columns"]:
                        row[column] = float(row[column]) if row[column].strip() else None
                    for column, values in config["categories"].items():
                        values.index(row[column])
                    row[config["label_column"]] = ("0", "1").index(row[config["label_column"]])
                except (KeyError, TypeError, ValueError, AttributeError):
                    yield None
                else:
                    yield row


def encode(rows, config):
    """Fill gaps with the median of the split and give each category a column of its own."""
    header, columns = [], []
    for name in config["numeric_columns"]:
        known = [row[name] for row in rows if row[name] is not None]
        middle = statistics.median(known)
        header.append(name)
        columns.append([middle if row[name] is None else row[name] for row in rows])
    for name in config["categorical_columns"]:
        # From the configuration and not from the data: both splits must have the same columns.
        for value in config["categories"][name]:
            header.append(f"{name}={value}")
            columns.append([float(row[name] == value) for row in rows])
    return header, list(zip(*columns))


def main(input_paths, output_paths, environ_vars, job_args):
    with open(input_paths["config"], encoding="utf-8") as handle:
        config = json.load(handle)
    config["categories"] = {"contract": ["month", "one_year", "two_year"]}
    wanted = SPLITS[job_args.job_type]
    rows, rejected = [], 0
    for row in read_rows(input_paths["raw_data"], config):
        if row is None:
            rejected += 1
        elif bucket(row[config["id_column"]]) in wanted:
            rows.append(row)
    if not rows:
        raise ValueError(f"the {job_args.job_type} split has no rows")
    header, features = encode(rows, config)
    path = os.path.join(output_paths["processed_data"], f"{job_args.job_type}.csv")
    with open(path, "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["label"] + header)
        for row, values in zip(rows, features):
            writer.writerow([row[config["label_column"]]] + [f"{value:g}" for value in values])
    print(f"{job_args.job_type}: {len(rows)} rows, {rejected} rejected")
