"""Mean, deviation and missing values of each numeric column of a CSV file."""

import csv
import json
import os
import statistics


def main(input_paths, output_paths, environ_vars, job_args):
    with open(input_paths["data_input"], newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    if len(rows) < job_args.min_rows:
        raise ValueError("%d rows, and %d are needed" % (len(rows), job_args.min_rows))
    result = {}
    for name in job_args.columns:
        values = [float(row[name]) for row in rows if row[name] != ""]
        result[name] = {
            "mean": statistics.fmean(values),
            "deviation": statistics.pstdev(values),
            "missing": len(rows) - len(values),
        }
    with open(os.path.join(output_paths["statistics"], "columns.json"), "w", encoding="utf-8") as f:
        json.dump(result, f, indent=2, sort_keys=True)
    return {"rows": len(rows), "columns": len(result)}
