"""Returns, and ends with a code other than 0 all the same."""

import atexit
import os


def main(input_paths, output_paths):
    with open(os.path.join(output_paths["data_output"], "result.txt"), "w") as f:
        f.write("done")
    atexit.register(os._exit, 5)
