"""Runs one script for scriptspec: reads a request from one pipe, writes the outcome to another.

Usage: driver.py REQUEST RESULT, two inherited file descriptors (handles on Windows); or
driver.py --serve SOCKET MODULE..., see serve.py.

Standard output and error belong to the script alone. What most runs do not need is in rare.py, and
nothing is imported that an interpreter has not loaded anyway: starting is most of a small test.
"""

import sys

STARTUP = frozenset(sys.modules)  # what every interpreter has before a script can have a say
HERE = sys.path[0] if sys.path and __file__.startswith(sys.path[0] or "\0") else ""
if HERE:
    # The directory of this file, before any other import, so that nothing lying there can take the
    # place of Python's own. With PYTHONSAFEPATH, and in a child that multiprocessing spawns, it is
    # not there.
    sys.path.pop(0)
sys.dont_write_bytecode = True

import _frozen_importlib  # noqa: E402
import _frozen_importlib_external  # noqa: E402
import marshal  # noqa: E402
import os  # noqa: E402

PARAMETERS = ("input_paths", "output_paths", "environ_vars", "job_args")


def rare():
    """Returns the namespace of rare.py, which is read when it is needed."""
    if not hasattr(rare, "module"):
        rare.module = source_module("scriptspec_rare", os.path.join(os.path.dirname(os.path.abspath(__file__)), "rare.py"))
    return rare.module


def source_module(name, path, register=False):
    """Executes a file as a module, always from its source: a cached one could be of anything."""
    spec = _frozen_importlib_external.spec_from_file_location(name, path)
    module = _frozen_importlib.module_from_spec(spec)
    if register:
        sys.modules[name] = module
    with open(path, "rb") as f:
        code = compile(f.read(), path, "exec", dont_inherit=True)
    exec(code, module.__dict__)
    return module


def descriptor(arg, flags):
    """Returns the file descriptor of an inherited pipe, which children must not inherit in turn."""
    number = int(arg)
    if sys.platform == "win32":
        import msvcrt

        number = msvcrt.open_osfhandle(number, flags)
    os.set_inheritable(number, False)
    return number


class Channel:
    """The pipes to the harness. Only the process that was started speaks, not one it forked."""

    def __init__(self, requests, results):
        self.requests, self.results = requests, results
        self.pid = os.getpid()
        self.token = b""

    def receive(self):
        """Returns the request: eight bytes of length, then what marshal reads."""
        size = int.from_bytes(self.read(8), "little")
        request = marshal.loads(self.read(size))
        self.token = request["token"].encode()
        return request

    def read(self, size):
        parts = []
        while size > 0:
            part = os.read(self.requests, min(size, 1 << 20))
            if not part:
                raise EOFError("the request is cut off")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def die_with_the_harness(self):
        """Has the system kill this process group when the other end of the request pipe is closed."""
        if sys.platform != "linux":
            return
        try:
            import fcntl

            fcntl.fcntl(self.requests, fcntl.F_SETOWN, -os.getpgrp())
            fcntl.fcntl(self.requests, 10, 9)  # F_SETSIG, which Python 3.8 does not name, and SIGKILL
            fcntl.fcntl(self.requests, fcntl.F_SETFL, fcntl.fcntl(self.requests, fcntl.F_GETFL) | os.O_ASYNC)
        except (ImportError, OSError):
            pass  # the harness still ends what it can

    def send(self, name, text=""):
        """Writes one frame: token, name and length on a line, then the text."""
        if os.getpid() != self.pid:
            return
        data = text.encode("utf-8", "backslashreplace")
        data = b"%s %s %d\n%s" % (self.token, name.encode(), len(data), data)
        try:
            while data:
                data = data[os.write(self.results, data) :]
        except OSError:
            pass  # the script closed it: the missing report tells


def load(path):
    """Imports the script as a module of its own name, so that its __main__ block stays quiet."""
    name = os.path.splitext(os.path.basename(path))[0]
    if name in sys.modules:
        name = "script_" + name  # a script called os.py must not replace Python's os
    sys.path.insert(0, os.path.dirname(path))
    return source_module(name, path, register=True)


class Namespace:
    """What argparse.Namespace is, for a script that has not imported argparse, which takes as long as
    half an interpreter. Should anything import it later, this is its Namespace."""

    def __init__(self, **values):
        vars(self).update(values)

    def __eq__(self, other):
        return vars(self) == vars(other) if isinstance(other, Namespace) else NotImplemented

    def __contains__(self, key):
        return key in self.__dict__

    def __repr__(self):
        named = ["%s=%r" % item for item in vars(self).items() if item[0].isidentifier()]
        others = {key: value for key, value in vars(self).items() if not key.isidentifier()}
        return "Namespace(%s)" % ", ".join(named + (["**%r" % others] if others else []))


Namespace.__module__ = "argparse"


class ArgparseFinder:
    """Puts Namespace into Python's argparse when that is imported."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "argparse":
            return None
        sys.meta_path.remove(ArgparseFinder)
        spec = _frozen_importlib._find_spec(name, path)
        if spec is not None and os.path.dirname(spec.origin or "") == os.path.dirname(os.__file__):
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                module.Namespace = Namespace

            spec.loader.exec_module = exec_module
        return spec


def namespace(values):
    """Returns job_args as main gets them."""
    argparse = sys.modules.get("argparse")
    if argparse is None:
        sys.meta_path.insert(0, ArgparseFinder)
    result = getattr(argparse, "Namespace", Namespace)()
    vars(result).update(values)  # any name will do, even self
    return result


def arguments(main, request):
    """Returns the positional and the named arguments for main, and what keeps it from being called."""
    code = getattr(main, "__code__", None)
    if type(main) is not type(arguments) or hasattr(main, "__wrapped__") or code.co_posonlyargcount:
        names, positional, missing = rare().signature(main, PARAMETERS)
    else:
        positional = []
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        optional = set(names[code.co_argcount - len(main.__defaults__ or ()) : code.co_argcount])
        optional.update(main.__kwdefaults__ or ())
        missing = [name for name in names if name not in PARAMETERS and name not in optional]
        if code.co_flags & 0x08:  # **kwargs
            names = PARAMETERS
    values = {name: request[name] for name in PARAMETERS if name in names or name in positional}
    if missing:
        return None, None, "main has a further parameter without a default: " + ", ".join(missing)
    if not values:
        return None, None, "main takes none of " + ", ".join(PARAMETERS)
    if "job_args" in values:
        values["job_args"] = namespace(values["job_args"])
    named = {name: value for name, value in values.items() if name not in positional}
    return [values[name] if name in values else name for name in positional], named, None


def run(channel, request):
    """Runs the script, reports what came of it and returns the exit code."""
    sys.argv = [request["script_path"]]
    report = {"outcome": "failed"}
    try:
        if request["program"]:
            rare().run_program(channel, request)
            report["outcome"] = "returned"
        else:
            main = getattr(load(request["script_path"]), "main", None)
            call(channel, request, main, report)
    except SystemExit as error:
        # sys.exit() and sys.exit(0) say that all went well.
        if error.code is None or error.code == 0:
            report["outcome"] = "returned"
        else:
            # What the system keeps of a number; any other value counts as 1.
            number = isinstance(error.code, int)
            report["outcome"] = "exited" if number else "exited_with_text"
            report["exit_code"] = str(int(error.code) & 0xFF if number else 1)
            report.update(rare().describe(error, __file__))
    except KeyboardInterrupt as error:
        report["outcome"] = "interrupted"
        report.update(rare().describe(error, __file__))
    except BaseException as error:
        report.update(rare().describe(error, __file__))
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # closed or replaced by the script
    for name, text in report.items():
        channel.send(name, text)
    channel.send("end")
    return 0 if report["outcome"] == "returned" else int(report.get("exit_code", 1))


def call(channel, request, main, report):
    """Calls main, if it can be."""
    if not callable(main):
        report["outcome"] = "no_main"
        return
    channel.send("main")
    positional, named, problem = arguments(main, request)
    if problem:
        report["outcome"], report["error_message"] = "bad_main", problem
        return
    result = main(*positional, **named)
    if hasattr(type(result), "__await__"):
        result = rare().wait_for(result)
    if result is not None:
        report["return_value"] = rare().as_json(result)
    report["outcome"] = "returned"


def serve_one(requests, results, prepare=None):
    """Answers one request."""
    channel = Channel(requests, results)
    request = channel.receive()
    channel.die_with_the_harness()
    if prepare:
        prepare(request)
    channel.send("hello", "%d.%d.%d" % sys.version_info[:3])
    return run(channel, request)


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        server = source_module("scriptspec_serve", os.path.join(os.path.dirname(os.path.abspath(__file__)), "serve.py"))
        pipes = server.serve(int(sys.argv[2]), sys.argv[3:], STARTUP)
        sys.exit(serve_one(*pipes, prepare=server.become) if pipes else 0)
    sys.exit(serve_one(descriptor(sys.argv[1], os.O_RDONLY), descriptor(sys.argv[2], os.O_WRONLY)))
