"""Has a main that takes nothing."""


def main():
    raise AssertionError("was called")
