"""Keeps an interpreter that has imported modules, and forks a process for each script.

For each script a monitor is forked, and from it the child that runs the script. The monitor waits for
the child and tells the harness over a socket of its own, in a session of its own: what happens to the
server is no matter of the scripts that run. Nothing else runs here, so that a fork never meets a second
thread of ours.
"""

import array
import atexit
import gc
import io
import os
import signal
import socket
import sys
import threading
import time

shared = {}  # the modules that children have from the server
DESCRIPTORS = 5  # control, stdout, stderr, requests, results


def serve(number, modules, startup):
    """Forks children until the harness closes the socket. Returns the two pipes in each child, None in
    the server."""
    harness = socket.socket(fileno=number)
    harness.set_inheritable(False)
    harness.sendall(b"hello\n")
    import json  # noqa: F401  (what the driver needs for many scripts)
    import resource  # noqa: F401  (what wait4 makes its result of)
    import traceback  # noqa: F401

    for name in modules:
        try:
            __import__(name)
        except BaseException as error:
            text = "failed %s: %s: %s\n" % (name, type(error).__name__, error)
            harness.sendall(text.replace("\n", " ").encode("utf-8", "replace") + b"\n")
            return None
    shared.update(sys.modules)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # monitors need nobody to wait for them
    imported = {name for name in sys.modules if "." not in name} - startup
    harness.sendall(("ready %s\n" % " ".join(sorted(imported))).encode("utf-8", "replace"))
    while True:
        descriptors = receive(harness)
        if descriptors is None:
            return None
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            harness.close()
            return monitor(descriptors)
        for fd in descriptors:
            os.close(fd)


def receive(harness):
    """Returns the descriptors for one script, None when the harness has closed its end."""
    size = array.array("i").itemsize
    try:
        text, extra, _, _ = harness.recvmsg(1, socket.CMSG_SPACE(DESCRIPTORS * size))
    except OSError:
        return None
    if not text:
        return None
    descriptors = array.array("i")
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % size])
    for fd in descriptors:
        os.set_inheritable(fd, False)
    return list(descriptors)


def monitor(descriptors):
    """Forks the child and waits for it. Returns in the child only."""
    control, stdout, stderr, requests, results = descriptors
    os.setsid()
    alive, begun = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        for fd in (control, stdout, stderr, alive, begun):
            os.close(fd)
        return requests, results
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)  # whoever reads from the server is not to wait for the end of scripts
        os.dup2(nowhere, 2)
        for fd in (nowhere, stdout, stderr, requests, results, begun):
            os.close(fd)
        os.read(alive, 1)  # its end: the child has a session of its own
        tell(control, "pid %d" % child, "monitor %d" % os.getpid())
        if hasattr(os, "waitid"):  # macOS has it from Python 3.13 on
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
            tell(control, "ended")
            os.read(control, 1)  # the harness has looked after what is left
        _, status, usage = os.wait4(child, 0)
        if not hasattr(os, "waitid"):
            tell(control, "ended")
        tell(control, "status %d %.6f %.6f %d" % (status, usage.ru_utime, usage.ru_stime, usage.ru_maxrss))
    except BaseException:
        pass  # the harness sees the closed socket
    finally:
        os._exit(0)


def tell(control, *lines):
    os.write(control, "".join(line + "\n" for line in lines).encode())


def become(request):
    """Gives a child the environment and the directory that a new interpreter would have had."""
    zone = os.environ.get("TZ")
    os.environb.clear()
    for entry in request["environ"]:
        name, _, value = entry.partition(b"=")
        os.environb[name] = value
    if os.environ.get("TZ") != zone:
        time.tzset()
    os.chdir(request["dir"])
    if "tempfile" in sys.modules:
        sys.modules["tempfile"].tempdir = None  # to be found anew
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()  # Python's own random does so by itself


def leave(code):
    """Ends a child as an interpreter ends, but for what it shares with the server: to take that apart would
    copy all of its memory, which takes longer than most scripts."""
    try:
        threading._shutdown()  # waits for threads that are no daemons
    except BaseException:
        sys.excepthook(*sys.exc_info())
    try:
        atexit._run_exitfuncs()
    except BaseException:
        pass  # Python 3.8 and 3.9 raise what they have printed already
    failed = flush()  # first: in what is collected together a text file may outlive its buffer
    for name in [name for name in sys.modules if name not in shared]:
        del sys.modules[name]
    gc.collect()  # what the script has made: finalizers run, and files are closed
    failed = flush() or failed
    os._exit(120 if failed and code == 0 else code)  # as Python has it


def flush():
    """Writes what is in the buffers of all files, wherever they are kept, and tells whether that failed for
    standard output."""
    failed = False
    for kept in gc.get_objects():
        if issubclass(type(kept), (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)):
            try:
                if not kept.closed:
                    kept.flush()
            except BaseException:
                failed = failed or kept is getattr(sys, "stdout", None)
    return failed
