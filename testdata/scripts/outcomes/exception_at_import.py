"""Fails before there is a main."""

import no_such_module


def main(input_paths, output_paths):
    no_such_module.work()
