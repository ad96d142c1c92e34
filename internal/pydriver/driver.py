"""Runs one script for scriptspec: reads a request from one pipe, writes the outcome to another.

Usage: driver.py REQUEST RESULT, two inherited file descriptors (handles on Windows).

Standard output and error belong to the script alone. Nothing is imported from the directory of the
caller or of this file: the script's own directory is all that is put in front of the search path.
"""

import sys

if sys.path and sys.path[0] and __file__.startswith(sys.path[0]):
    # The directory of this file, before any other import, so that nothing lying there can take the
    # place of Python's own. With PYTHONSAFEPATH, and in a child that multiprocessing spawns, it is
    # not there.
    sys.path.pop(0)
sys.dont_write_bytecode = True

# All that is needed, before the script's directory can put another argparse.py in front.
import argparse  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import traceback  # noqa: E402


def descriptor(arg, flags):
    """Returns the file descriptor of an inherited pipe, which children must not inherit in turn."""
    number = int(arg)
    if sys.platform == "win32":
        import msvcrt

        number = msvcrt.open_osfhandle(number, flags)
    os.set_inheritable(number, False)
    return number


def load(path):
    """Imports the script as a module of its own name, so that its __main__ block stays quiet."""
    name = os.path.splitext(os.path.basename(path))[0]
    if name in sys.modules:
        name = "script_" + name  # a script called os.py must not replace Python's os
    sys.path.insert(0, os.path.dirname(path))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def describe(error):
    """Returns type, message and traceback of an exception, without this file's own frames."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    while trace is not None and "importlib" in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    try:
        message = str(error)
    except Exception:
        message = "(its text cannot be made)"
    lines = traceback.format_exception(type(error), error, trace)
    return {
        "error_type": type(error).__name__,
        "error_message": message,
        "traceback": "".join(lines),
    }


def run(request):
    """Imports the script, calls its main and returns what came of it."""
    result = {"outcome": "failed", "has_main_function": False}
    try:
        module = load(request["script_path"])
        main = getattr(module, "main", None)
        if not callable(main):
            result["outcome"] = "no_main"
            return result
        result["has_main_function"] = True
        job_args = argparse.Namespace()
        vars(job_args).update(request["job_args"])  # any name will do, even self
        main(
            input_paths=request["input_paths"],
            output_paths=request["output_paths"],
            environ_vars=request["environ_vars"],
            job_args=job_args,
        )
        result["outcome"] = "returned"
    except SystemExit as error:
        # sys.exit() and sys.exit(0) say that all went well.
        if error.code is None or error.code == 0:
            result["outcome"] = "returned"
        else:
            result["outcome"] = "exited"
            # What the system keeps of a number; any other value counts as 1.
            result["exit_code"] = int(error.code) & 0xFF if isinstance(error.code, int) else 1
            result.update(describe(error))
    except BaseException as error:
        result.update(describe(error))
    return result


def serve():
    """Answers the one request."""
    requests = descriptor(sys.argv[1], os.O_RDONLY)
    results = descriptor(sys.argv[2], os.O_WRONLY)
    with open(requests, "rb") as pipe:
        request = json.loads(pipe.read().decode("utf-8"))
    sys.argv = [request["script_path"]]
    result = run(request)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # closed or replaced by the script
    with open(results, "wb") as pipe:
        pipe.write(json.dumps(result).encode("utf-8", "backslashreplace"))
    return 0 if result["outcome"] == "returned" else result.get("exit_code", 1)


if __name__ == "__main__":
    sys.exit(serve())
