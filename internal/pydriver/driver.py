"""Runs one script for scriptspec and reports what came of it; see start.py.

Standard output and error belong to the script alone. What most runs do not need is in ondemand.py, and
nothing is imported that an interpreter has not loaded anyway.
"""

import _frozen_importlib
import _frozen_importlib_external
import atexit
import os
import sys
import time

PARAMETERS = ("input_paths", "output_paths", "environ_vars", "job_args")


class Library:
    """Where Python's own modules are, whatever a script does to sys.path and sys.modules."""

    def __init__(self, load, path, ready):
        self.load = load  # makes a module of our source
        self.path = path  # sys.path as it was at the start
        self.ready = ready  # modules that have been imported already, by name


def ondemand():
    """Returns ondemand.py, which comes with the request and is compiled when it is needed: by then a script
    may have used up its file descriptors."""
    if not hasattr(ondemand, "module"):
        ondemand.module, _ = ondemand.library.load("ondemand.py", ondemand.source)
        ondemand.module.prepare(ondemand.library, ondemand.cut)
    return ondemand.module


class Channel:
    """The pipes to the harness. Only the process that was started speaks, not one it forked."""

    def __init__(self, requests, results, token):
        self.requests, self.results = requests, results
        self.token = token.encode()
        self.pid = os.getpid()
        self.getpid, self.write, self.fstat = os.getpid, os.write, os.fstat  # a script may patch them
        self.pipe = self.identity()

    def identity(self):
        """Returns what the descriptor of the results is now: a script may have closed it, and opened a file
        that has its number."""
        try:
            status = self.fstat(self.results)
        except OSError:
            return None
        return status.st_dev, status.st_ino

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

    def forked(self):
        return self.getpid() != self.pid

    def send(self, name, text=""):
        """Writes one frame: token, name and length on a line, then the text."""
        if self.forked():
            return
        data = text if isinstance(text, bytes) else str.encode(text, "utf-8", "backslashreplace")
        data = b"%s %s %d\n%s" % (self.token, name.encode(), len(data), data)
        try:
            while data and self.identity() == self.pipe:
                data = data[self.write(self.results, data) :]
        except OSError:
            pass  # the script closed it: the missing report tells


def import_script(path, directory):
    """Imports the script as a module of its own name, so that its __main__ block stays quiet. It is
    compiled from its source: a cached one could be of anything."""
    name = os.path.splitext(os.path.basename(path))[0]
    sys.path.insert(0, os.path.dirname(os.path.realpath(path)))
    if name in sys.modules:
        name = "script_" + name  # a script called os.py must not replace Python's os
        ondemand().stand_in(name, path, directory)
    spec = _frozen_importlib_external.spec_from_file_location(name, path)
    module = _frozen_importlib.module_from_spec(spec)
    sys.modules[name] = module
    with open(path, "rb") as f:
        source = import_script.source = f.read()
    exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    return module


class Namespace:
    """What argparse.Namespace is, for a script that has not imported argparse, which takes as long as
    half an interpreter. Should anything import it later, this is its Namespace."""

    def __init__(self, **values):
        vars(self).update(values)

    def __eq__(self, other):
        return vars(self) == vars(other) if isinstance(other, Namespace) else NotImplemented

    def __contains__(self, key):
        return key in self.__dict__

    def _get_kwargs(self):
        return sorted(vars(self).items()) if sys.version_info < (3, 9) else list(vars(self).items())

    def _get_args(self):
        return []

    def __repr__(self):
        named = ["%s=%r" % item for item in self._get_kwargs() if item[0].isidentifier()]
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
        names, positional, missing = ondemand().signature(main, PARAMETERS)
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
        return None, None, "main has a further parameter without a default: %s (it is called with %s)" % (
            ", ".join(missing),
            ", ".join(PARAMETERS),
        )
    if not values:
        return None, None, "main takes none of %s (if the script is a program, list it under command_line)" % (
            ", ".join(PARAMETERS)
        )
    if "job_args" in values:
        values["job_args"] = namespace(values["job_args"])
    named = {name: value for name, value in values.items() if name not in positional}
    return [values[name] if name in values else name for name in positional], named, None


def run(channel, request):
    """Runs the script, reports what came of it and returns the exit code."""
    path = os.fsdecode(request["script_path"])
    sys.argv = [path]
    report = {"outcome": "failed"}
    try:
        if "packages" in request:
            report["error_message"] = ondemand().missing_packages(request["packages"], request["packages_source"])
        if report.get("error_message"):
            report["outcome"] = "package_missing"
        elif request["program"]:
            report["called"] = True
            ondemand().run_program(channel, path, request["argv"])
            report["outcome"] = "returned"
        else:
            clock = time.perf_counter  # a script may patch it
            begun = clock()
            module = import_script(path, request["run_dir"])
            channel.send("import_time", "%.6f" % (clock() - begun))
            call(channel, request, getattr(module, "main", None), report)
    except BaseException as error:
        if channel.forked():
            raise  # as it would be without us
        restore_builtins()
        kind = type(error)  # __class__ may say anything
        if issubclass(kind, SystemExit):
            exited(error, report)
        elif issubclass(kind, KeyboardInterrupt):
            report["outcome"] = "interrupted"
        if report["outcome"] != "returned":
            report.update(described(error))
    restore_builtins()
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except BaseException:
            pass  # closed, replaced or deleted by the script
    report.pop("called", None)
    if report["outcome"] == "returned":
        report["modules"] = b"\0".join(imported_files())
    for name, text in report.items():
        channel.send(name, text)
    channel.send("end")
    return 0 if report["outcome"] == "returned" else int(report.get("exit_code", 1))


DRIVER = sys.modules["__main__"]
BUILTINS = sys.modules["builtins"]
ABSOLUTE = os.path.abspath  # a script may patch it
ATTRIBUTES = type(sys).__dict__["__dict__"].__get__  # of a module, whatever its class says


def imported_files():
    """Returns the files of the modules that are neither Python's own nor of an installed package: the script,
    and what it has beside it or on a path of its own."""
    library = os.path.dirname(os.__file__) + os.sep
    files = set()
    for name, module in list(sys.modules.items()):
        if name == "__main__" and module is DRIVER:
            continue
        try:
            file = ATTRIBUTES(module).get("__file__") if isinstance(module, type(sys)) else None
            if type(file) is not str or file.startswith(library):
                continue
            if os.sep + "site-packages" + os.sep not in file and os.sep + "dist-packages" + os.sep not in file:
                files.add(os.fsencode(ABSOLUTE(file)))
        except BaseException:
            pass  # a name that no file has, or a relative one in a directory that is gone
    return sorted(files)


def restore_builtins():
    """Gives Python's modules their builtins back, for the report, if the script has replaced some."""
    vars(BUILTINS).update(__builtins__)


def exited(error, report):
    """Judges a sys.exit: without a code or with 0 it says that all went well, in main."""
    try:
        code = error.code
        number = int.__index__(code) if issubclass(type(code), int) else None
    except BaseException:
        return  # an exception like any other
    if code is not None and number != 0:
        kept = 1 if number is None else exit_status(number)  # any other value counts as 1
        report["outcome"], report["exit_code"] = "exited_with_text" if number is None else "exited", str(kept)
    elif report.get("called"):
        report["outcome"] = "returned"
    else:
        error.args = ("sys.exit before main was called",)
        report["outcome"], report["exit_code"] = "exited", "0"


def exit_status(number):
    """Returns what CPython and the system make of a number that is given to sys.exit."""
    return number & 0xFF if -(2**63) <= number < 2**63 else 0xFF


def described(error):
    """Returns type, message and traceback of an exception, whatever it takes to make them."""
    try:
        return ondemand().describe(error)
    except BaseException:
        return {"error_type": type.__dict__["__name__"].__get__(type(error)), "error_message": "(cannot be told)"}


async def asynchronous():
    yield


GENERATORS = (type(_ for _ in ()), type(asynchronous()))


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
    report["called"] = True
    result = main(*positional, **named)
    restore_builtins()
    if hasattr(type(result), "__await__") and hasattr(type(result), "send"):  # a coroutine; a future is a result
        result = ondemand().wait_for(result)
    if type(result) in GENERATORS and getattr(result, "__name__", "") != "<genexpr>":
        report["outcome"], report["error_message"] = "bad_main", "main returned a generator, of which nothing has run"
        return
    number = int.__index__(result) if issubclass(type(result), int) else None
    if result is not None and number != 0 and ondemand().exits_with_result(import_script.source):
        report["outcome"], report["error_type"] = "exited" if number is not None else "exited_with_text", "SystemExit"
        report["exit_code"] = str(1 if number is None else exit_status(number))
        what = ondemand().type_name(result) if number is None else "%d" % number
        report["error_message"] = "main returned %s, which the script gives to sys.exit" % what
        return
    if result is not None:
        report["return_value"] = ondemand().as_json(result)
    report["outcome"] = "returned"


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def limits():
    """Returns the resource limits, but for the one that the harness uses as a mark."""
    try:
        with open("/proc/self/limits") as f:
            return [line for line in f if not line.startswith("Max realtime timeout")]
    except OSError:
        return []


def circumstances(path):
    """Returns all but the environment that a wrapper of the interpreter can give it: its options, its
    directory and what it inherits."""
    try:
        directory = os.getcwd()
    except OSError:
        directory = None
    return repr(
        (sys.executable, sys.version, sys.prefix, sys.exec_prefix, path, tuple(sys.flags), sys._xoptions)
        + (sys.warnoptions, directory, umask(), limits())
    )


def environment():
    entries = getattr(os, "environb", None) or {os.fsencode(k): os.fsencode(v) for k, v in os.environ.items()}
    return b"\0".join(b"%s=%s" % entry for entry in entries.items())


def serve_one(requests, results, request, made, prepare, library):
    """Answers one request and returns the exit code."""
    channel = Channel(requests, results, request["token"])
    ondemand.source, ondemand.cut, ondemand.library = request["ondemand_source"], request["cut"], library
    channel.die_with_the_harness()
    if prepare:
        prepare(request)
    if made:  # for the next interpreter
        channel.send("driver", made[0])
        channel.send("start", made[1])
    channel.send("program", os.fsencode(sys.executable or ""))
    if request["identify"] or request["expect"]:
        found = circumstances(library.path)
        if request["expect"] and found.encode("utf-8", "backslashreplace") != request["expect"]:
            channel.send("other")
            return 0
        channel.send("circumstances", found)
        channel.send("environment", environment())
    channel.send("hello", "%d.%d.%d" % sys.version_info[:3])
    atexit.register(channel.send, "over")  # before the script, so that it comes last; os._exit leaves it out
    return run(channel, request)
