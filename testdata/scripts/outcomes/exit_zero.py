"""Leaves main by sys.exit(0), which counts as a return."""

import os
import sys


def main(output_paths):
    with open(os.path.join(output_paths["data_output"], "result.txt"), "w") as f:
        f.write("done")
    sys.exit(0)
