"""Takes memory until somebody objects."""


def main(input_paths, output_paths):
    taken = []
    while len(taken) < 4096:
        taken.append(bytearray(b"x") * (1 << 20))
