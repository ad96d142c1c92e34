"""Raises an exception without a text."""


def main(input_paths, output_paths):
    raise KeyError
