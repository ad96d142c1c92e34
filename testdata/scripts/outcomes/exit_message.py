"""Ends with a text."""

import sys


def main(input_paths, output_paths):
    sys.exit("gave up")
