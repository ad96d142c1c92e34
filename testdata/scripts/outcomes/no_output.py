"""Says that all went well, and wrote an empty file."""

import os


def main(output_paths):
    open(os.path.join(output_paths["data_output"], "result.txt"), "w").close()
