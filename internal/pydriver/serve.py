"""Keeps an interpreter that has imported modules, and forks a process for each script.

A fork takes as long as many a script, so it is made ahead: a monitor forks a child, which waits for the
next script, and then waits for the child and tells the harness over a socket of the script's own. Monitors
and children have sessions of their own: what happens to the server does not affect the scripts that run.
The server only makes another monitor when all are busy. Nothing else runs here, so that a fork never meets
a second thread of ours.
"""

import sys
import threading

KEPT = frozenset(sys.modules)  # children have these whatever else is imported: there is one main thread

import array  # noqa: E402
import atexit  # noqa: E402
import gc  # noqa: E402
import io  # noqa: E402
import json  # noqa: E402  (what the driver needs for many scripts)
import os  # noqa: E402
import resource  # noqa: E402, F401  (what wait4 makes its result of)
import signal  # noqa: E402
import socket  # noqa: E402
import time  # noqa: E402
import traceback  # noqa: E402

shared = {}  # the modules that children have from the server, by name
ours = {"json": json, "traceback": traceback}  # what the driver need not import
changes = {}  # what preloaded modules did to the environment: value before and after, None for none
streams = []  # files that preloaded modules have open
DESCRIPTORS = 5  # control, stdout, stderr, requests, results

TAKEN, IDLE, CLOSED = b"t", b"i", b"c"  # what the server is told: of a child, a monitor, the harness


def serve(number, modules, startup):
    """Forks children until the harness closes the socket. Returns the two pipes in each child, None in
    the server."""
    harness = socket.socket(fileno=number)
    harness.set_inheritable(False)
    environment = b"\0".join(b"%s=%s" % entry for entry in os.environb.items())
    harness.sendall(b"hello %d\n%s" % (len(environment), environment))
    problem = preload(modules)
    if problem:
        harness.sendall(problem.replace("\n", " ").encode("utf-8", "replace") + b"\n")
        return None
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # monitors need nobody to wait for them
    imported = {name for name in shared if "." not in name} - startup
    harness.sendall(("ready %s\n" % " ".join(sorted(imported))).encode("utf-8", "replace"))
    events, event = os.pipe()
    idle = 0  # monitors whose child waits for a script
    while True:
        if idle == 0:
            if os.fork() == 0:
                os.close(events)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return monitor(harness, event)
            idle = 1
        said = os.read(events, 1)
        if said == TAKEN:
            idle -= 1
        elif said == IDLE:
            idle += 1
        else:
            return None


def preload(modules):
    """Imports modules as a new interpreter would, with nothing of ours among them, and returns what keeps the
    interpreter from being forked."""
    mine = {name: module for name, module in sys.modules.items() if name not in KEPT}
    for name in mine:
        if name not in sys.builtin_module_names:
            del sys.modules[name]
    before, threads = os.environb.copy(), running()
    for name in modules:
        try:
            __import__(name)
        except BaseException as error:
            return "failed %s: %s: %s" % (name, type(error).__name__, error)
        if running() > threads:
            left = running_after_fork() - threads
            if left > 0:
                named = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
                return "threads %s has left %d running: %s" % (name, left, ", ".join(named) or "not Python's")
    for name in before.keys() | os.environb.keys():
        if before.get(name) != os.environb.get(name):
            changes[name] = before.get(name), os.environb.get(name)
    shared.update(sys.modules)
    for name, module in mine.items():
        sys.modules.setdefault(name, module)
    gc.collect()
    streams.extend(kept for kept in gc.get_objects() if is_stream(kept))
    flush()  # or every child would write what is in their buffers
    gc.freeze()
    return None


def running():
    """Returns the number of threads of this process, of whatever kind; elsewhere than on Linux, Python's."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def running_after_fork():
    """Returns how many threads are left once libraries that know of forks, such as OpenBLAS, have ended theirs.
    The others are not in a child, which waits for them until it is killed."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    for _ in range(50):  # a thread that has ended may be listed for a moment
        left = running()
        if left <= 1:
            break
        time.sleep(0.001)
    return left


def receive(sock, count):
    """Returns so many descriptors, None if the other end is closed."""
    size = array.array("i").itemsize
    try:
        text, extra, _, _ = sock.recvmsg(1, socket.CMSG_SPACE(count * size))
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


def monitor(harness, event):
    """Forks children, one after the other, and waits for each. Returns the pipes of a script, in a child."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # whoever reads from the server does not wait for the end of scripts
    os.dup2(nowhere, 2)
    os.close(nowhere)
    child, again = None, False
    try:
        while True:
            ours, theirs = socket.socketpair()
            child = os.fork()
            if child == 0:
                ours.close()
                return take_script(harness, event, theirs)
            theirs.close()
            if again:
                os.write(event, IDLE)
            again = True
            descriptors = receive(ours, 1)
            ours.close()
            if descriptors is None:
                break  # the harness has closed its end
            report(child, descriptors[0])
            os.close(descriptors[0])
    except BaseException:
        if child == 0:
            raise
        # else the harness sees the closed socket
    os._exit(0)


def take_script(harness, event, link):
    """Waits for the next script, in a child, and returns its pipes."""
    os.setsid()
    descriptors = receive(harness, DESCRIPTORS)
    if descriptors is None:
        os.write(event, CLOSED)
        os._exit(0)
    control, stdout, stderr, requests, results = descriptors
    os.write(event, TAKEN)
    link.sendmsg([b"c"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [control]))])
    tell(control, "pid %d" % os.getpid(), "monitor %d" % os.getppid())
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    for fd in (control, stdout, stderr, event):
        os.close(fd)
    harness.close()
    link.close()
    for name in [name for name in sys.modules if name not in shared]:
        del sys.modules[name]  # the script may have one of that name
    return requests, results


def report(child, control):
    """Tells the harness when the child has ended, and how."""
    if hasattr(os, "waitid"):  # macOS has it from Python 3.13 on
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        tell(control, "ended")
        os.read(control, 1)  # the harness has looked for what is left
    _, status, usage = os.wait4(child, 0)
    if not hasattr(os, "waitid"):
        tell(control, "ended")
    tell(control, "status %d %.6f %.6f %d" % (status, usage.ru_utime, usage.ru_stime, usage.ru_maxrss))


def tell(control, *lines):
    os.write(control, "".join(line + "\n" for line in lines).encode())


def become(request):
    """Gives a child the environment and the directory that a new interpreter would have had."""
    zone = os.environ.get("TZ")
    environ = dict(entry.split(b"=", 1) for entry in request["environ"])
    for name, (before, after) in changes.items():
        if environ.get(name) == before:  # else it is the spec's
            environ.pop(name, None)
            if after is not None:
                environ[name] = after
    os.environb.clear()
    os.environb.update(environ)
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
        if name == "ctypes":
            sys.modules[name].CDLL(None).fflush(None)  # what C has in buffers
        del sys.modules[name]
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    gc.collect()  # what the script has made: finalizers run, and files are closed
    failed = flush() or failed
    os._exit(120 if failed and code == 0 else code)  # as Python has it


def flush():
    """Writes what is in the buffers of all files, wherever they are kept, and reports whether that failed for
    standard output."""
    failed = False
    for kept in gc.get_objects() + streams:
        if is_stream(kept):
            try:
                if not kept.closed:
                    kept.flush()
            except BaseException:
                failed = failed or kept is getattr(sys, "stdout", None)
    return failed


def is_stream(value):
    return issubclass(type(value), (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom))
