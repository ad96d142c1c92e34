"""Tidies up its input."""

import os


def main(input_paths, output_paths):
    with open(os.path.join(output_paths["data_output"], "result.txt"), "w") as f:
        f.write("done")
    with open(input_paths["data_input"], "a") as f:
        f.write("3,4\n")
