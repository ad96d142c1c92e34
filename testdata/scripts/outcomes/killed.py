"""Is killed."""

import os
import signal


def main(input_paths, output_paths):
    os.kill(os.getpid(), signal.SIGKILL)
