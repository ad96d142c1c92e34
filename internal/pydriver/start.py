"""Starts the driver of scriptspec in a new interpreter.

Usage: start.py REQUEST RESULT, two inherited file descriptors (handles on Windows); or
start.py --serve SOCKET MODULE..., see serve.py.

Starting is most of a small test, and compiling this would be most of what is added to it. So the bytecode
of this file and of driver.py is sent to the harness by the first run of an interpreter and used by the
next ones, and nothing is imported that is not loaded or built in.
"""

import sys

STARTUP = frozenset(sys.modules)  # what every interpreter has before a script can have a say
NAME = "<scriptspec>"  # the file of our code in tracebacks, where it is left out

if __name__ == "__main__":
    if sys.version_info < (3, 8):
        sys.exit("Python 3.8 or later is needed, this is " + sys.version.split()[0])

    import _frozen_importlib_external
    import builtins
    import marshal
    import os

    __builtins__ = vars(builtins).copy()  # a script may change its own

    HERE = os.path.dirname(os.path.realpath(__file__))
    if sys.path and os.path.realpath(sys.path[0]) == HERE:
        sys.path.pop(0)  # the directory of this file; with PYTHONSAFEPATH it is not there
    PATH = sys.path[:]
    sys.dont_write_bytecode = True

    def read(fd, size):
        """Reads so many bytes."""
        parts = []
        while size > 0:
            part = os.read(fd, min(size, 1 << 20))
            if not part:
                raise EOFError("the request is cut off")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def receive(fd):
        """Reads a request: eight bytes of length, then what marshal reads."""
        return marshal.loads(read(fd, int.from_bytes(read(fd, 8), "little")))

    def load(name, source=None, cached=b""):
        """Returns one of our files as a module, and its bytecode if it had to be compiled."""
        magic = _frozen_importlib_external.MAGIC_NUMBER
        if cached.startswith(magic):
            code, made = marshal.loads(cached[len(magic) :]), b""
        else:
            if source is None:
                with open(os.path.join(HERE, name), "rb") as f:
                    source = f.read()
            code = compile(source, NAME, "exec", dont_inherit=True)
            made = magic + marshal.dumps(code)
        module = type(sys)("scriptspec_" + name[:-3])
        module.__dict__["__builtins__"] = __builtins__
        exec(code, module.__dict__)
        return module, made

    def descriptor(arg, flags):
        """Returns the file descriptor of an inherited pipe, which children must not inherit in turn."""
        number = int(arg)
        if sys.platform == "win32":
            import msvcrt

            number = msvcrt.open_osfhandle(number, flags)
        os.set_inheritable(number, False)
        return number

    def main():
        driver = prepare = None
        made, leave, ready = b"", sys.exit, {}
        if sys.argv[1] == "--serve":
            server, _ = load("serve.py")
            driver, _ = load("driver.py")
            pipes = server.serve(int(sys.argv[2]), sys.argv[3:], STARTUP)
            if pipes is None:
                return
            requests, results = pipes
            prepare, leave, ready = server.become, server.leave, server.ours
        else:
            requests, results = descriptor(sys.argv[1], os.O_RDONLY), descriptor(sys.argv[2], os.O_WRONLY)
        request = receive(requests)
        if driver is None:
            driver, made = load("driver.py", cached=request["driver"])
        if made:
            with open(__file__, "rb") as f:
                start = marshal.dumps(compile(f.read(), NAME, "exec", dont_inherit=True))
            made = made, _frozen_importlib_external.MAGIC_NUMBER + bytes(12) + start  # as a .pyc file has it
        code = driver.serve_one(requests, results, request, made, prepare, driver.Library(load, PATH, ready))
        if code or leave is not sys.exit:  # else it just ends: with PYTHONINSPECT an exit would be a failure
            leave(code)

    main()
