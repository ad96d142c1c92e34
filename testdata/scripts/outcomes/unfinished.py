"""Returns while a process that it has started still writes to the output."""

import os
import subprocess
import sys

CHILD = """
import sys, threading
with open(sys.argv[1], "w") as f:
    f.write("half of it")
    f.flush()
    print("started", flush=True)
    threading.Event().wait()
"""


def main(output_paths):
    path = os.path.join(output_paths["data_output"], "result.txt")
    child = subprocess.Popen([sys.executable, "-c", CHILD, path], stdout=subprocess.PIPE)
    child.stdout.readline()
