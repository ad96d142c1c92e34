"""Writes the rows of each label to a file of their own."""

import csv
import os


def main(input_paths, output_paths, job_args):
    with open(input_paths["data_input"], newline="", encoding="utf-8") as f:
        reader = csv.DictReader(f)
        rows = {}
        for row in reader:
            rows.setdefault(row[job_args.label], []).append(row)
    for label, members in sorted(rows.items()):
        with open(os.path.join(output_paths["by_label"], label + ".csv"), "w", newline="", encoding="utf-8") as f:
            writer = csv.DictWriter(f, reader.fieldnames)
            writer.writeheader()
            writer.writerows(members)
    return {label: len(members) for label, members in rows.items()}
