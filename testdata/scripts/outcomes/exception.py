"""Raises."""


def main(input_paths, output_paths):
    raise ValueError("no rows")
