"""A program, not a script with a main."""

print("hello")
