"""Does not end, and has no ear for requests to."""

import signal
import threading


def main(input_paths, output_paths):
    print("started", flush=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Event().wait()
