"""Ends with a number."""

import sys


def main(input_paths, output_paths):
    sys.exit(3)
