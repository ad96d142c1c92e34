"""What driver.py needs for some scripts only: those that fail, return something, or are programs."""

import os
import sys

LONGEST_TEXT = 1 << 20  # characters of a message or traceback; the harness keeps less
LONGEST_VALUE = 1 << 20  # characters of JSON
LONGEST_REPR = 1000
LONGEST_TYPE = 1000

python = None  # the Library of driver.py
mark = ""  # put where a text is cut: the harness takes away the part of a secret that is before it


def prepare(library, cut_mark):
    global python, mark
    python, mark = library, cut_mark


def cut(text, limit):
    return text if len(text) <= limit else text[:limit] + mark


LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
PACKAGES = ("site-packages" + os.sep, "dist-packages" + os.sep)


def own(name):
    """Returns one of Python's own modules, whatever the script has put in its way."""
    if name in python.ready:
        return python.ready[name]
    if name in sys.modules and not foreign(sys.modules[name]):
        return sys.modules[name]
    path = sys.path[:]
    sys.path[:] = python.path
    try:
        names = {entry.partition(".")[0] for entry in os.listdir(LIBRARY)}
    except OSError:
        names = {name}
    hidden = {}
    for key, module in list(sys.modules.items()):
        if key.partition(".")[0] in names and foreign(module):
            hidden[key] = sys.modules.pop(key)
    try:
        __import__(name)
        return sys.modules[name]
    finally:
        sys.path[:] = path
        sys.modules.update(hidden)


def foreign(module):
    """Reports whether a module is from a file that does not belong to Python."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return False
    file = os.path.abspath(file)
    return not file.startswith(LIBRARY) or file[len(LIBRARY) :].startswith(PACKAGES)


def type_name(value):
    """Returns the name of a type, not what its metaclass says."""
    return type.__dict__["__name__"].__get__(type(value))


def describe(error):
    """Returns type, message and traceback of an exception, without our own frames."""
    trace = first = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == describe.__code__.co_filename:
            first = trace.tb_next  # asyncio's frames are between ours
        trace = trace.tb_next
    try:
        message = str.__str__(str(error))
    except BaseException:
        message = "(its text cannot be made)"
    try:
        text = "".join(own("traceback").format_exception(type(error), error, first))
    except BaseException:  # an exception that cannot be printed
        text = "%s\n" % type_name(error)
    return {
        "error_type": cut(type_name(error), LONGEST_TYPE),
        "error_message": cut(message, LONGEST_TEXT),
        "traceback": cut(text, LONGEST_TEXT),
    }


def signature(main, known):
    """Returns the parameters of any callable: names it takes, those that are given by position (the
    value itself where it is a default), and those that nothing is known for."""
    inspect = own("inspect")
    try:
        parameters = list(inspect.signature(main).parameters.values())
    except (TypeError, ValueError):
        return known, [], []  # a callable of C does not tell: it gets all four
    names, positional, missing = [], [], []
    for parameter in parameters:
        if parameter.kind == parameter.VAR_KEYWORD:
            names.extend(known)
        elif parameter.kind == parameter.VAR_POSITIONAL:
            continue
        elif parameter.name not in known:
            if parameter.default is parameter.empty:
                missing.append(parameter.name)
            elif parameter.kind == parameter.POSITIONAL_ONLY:
                positional.append(parameter.default)
        elif parameter.kind == parameter.POSITIONAL_ONLY:
            positional.append(parameter.name)
        else:
            names.append(parameter.name)
    return names, positional, missing


def wait_for(awaitable):
    """Runs an asynchronous main to its end."""

    async def wait():
        return await awaitable

    return own("asyncio").run(wait())


def as_json(value):
    """Returns a value as JSON, and what JSON does not have as a description of it."""
    try:
        json = own("json")
        try:
            if not is_long(value):
                text = json.dumps(value, allow_nan=False, default=described)
                if len(text) <= LONGEST_VALUE:
                    return text
        except Exception:  # NaN, a list in itself, a key that is no string, an object that raises
            pass
        return json.dumps(described(value))
    except BaseException:  # no json, because there is no file descriptor left, say
        return '{"type": "%s"}' % "".join(c for c in type_name(value) if c.isalnum() or c == "_")


def described(value):
    """Returns type, shape and the beginning of the repr of an object."""
    kind = type(value)
    result = {"type": "%s.%s" % (kind.__module__, kind.__qualname__)}
    try:
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple) and all(type(n) is int for n in shape):
            result["shape"] = list(shape)
        elif hasattr(kind, "__len__"):
            result["length"] = len(value)
        result["repr"] = cut(beginning(value), LONGEST_REPR)
    except BaseException:
        pass  # its type has to do
    return result


class End(int):
    """The id of a container that has been gone through."""


def is_long(value):
    """Reports whether the JSON of a value is too long, before any of it is made."""
    left, todo, inside = LONGEST_VALUE, [value], set()
    while todo and left >= 0:
        item = todo.pop()
        if type(item) is End:
            inside.discard(item)
        elif isinstance(item, (str, bytes, bytearray)):
            left -= len(item)
        elif isinstance(item, (dict, list, tuple, set, frozenset)) and id(item) not in inside:
            inside.add(id(item))
            todo.append(End(id(item)))
            left -= 1 + len(item)
            if left >= 0:
                todo.extend(item)
                todo.extend(item.values() if isinstance(item, dict) else ())
        elif isinstance(item, int):
            left -= item.bit_length() // 4
    return left < 0


def beginning(value):
    """Returns the repr of a value, or its beginning where all of it would take too much memory."""
    if isinstance(value, (str, bytes, bytearray)):
        return repr(value[: LONGEST_REPR + 1])
    if is_long(value):
        return own("reprlib").repr(value)
    return repr(value)


def exits_with_result(source):
    """Reports whether a script, run as a program, would give what main returns to sys.exit."""
    if b"xit" not in source:
        return False
    try:
        ast = own("ast")
    except BaseException:  # no file descriptor left, say
        return b"exit(main(" in source.replace(b" ", b"")
    results = set()  # names that are bound to what main returns

    def is_main(node):
        if isinstance(node, ast.Name):
            return node.id in results
        if not isinstance(node, ast.Call):
            return False
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        if name == "run" and node.args:  # asyncio.run(main())
            return is_main(node.args[0])
        return isinstance(node.func, ast.Name) and name == "main"

    for node in statements(ast, ast.parse(source).body):
        if isinstance(node, ast.Assign) and is_main(node.value):
            results.update(target.id for target in node.targets if isinstance(target, ast.Name))
        value = getattr(node, "value", None) or getattr(node, "exc", None)  # of an expression, or a raise
        if isinstance(value, ast.Call) and len(value.args) == 1 and is_main(value.args[0]):
            name = getattr(value.func, "attr", None) or getattr(value.func, "id", None)
            if name in ("exit", "_exit", "quit", "SystemExit"):
                return True
    return False


def statements(ast, body):
    """Yields the statements that a module runs by itself, in order."""
    for node in body:
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for part in ("body", "orelse", "handlers", "finalbody"):
                yield from statements(ast, getattr(node, part, []))


def stand_in(name, path, directory):
    """Lets processes that multiprocessing spawns import a script whose own name is taken."""
    with open(os.path.join(directory, name + ".py"), "w", encoding="utf-8") as f:
        f.write("exec(compile(open(%a, 'rb').read(), %a, 'exec', dont_inherit=True))\n" % (path, path))
    sys.path.append(directory)


def missing_packages(packages, source):
    """Returns what an interpreter lacks of packages, "" if nothing."""
    loaded = set(sys.modules)
    try:
        module, _ = python.load("packages.py", source)
        return module.problem(packages, own("importlib.metadata"))
    finally:
        for name in [name for name in sys.modules if name not in loaded]:
            del sys.modules[name]  # the script may have one of that name


def run_program(channel, path, args):
    """Runs the script as python3 would: as __main__, with its arguments in sys.argv."""
    sys.argv = [path] + args
    sys.path.insert(0, os.path.dirname(os.path.realpath(path)))
    module = type(sys)("__main__")
    module.__file__ = path
    run_program.driver = sys.modules["__main__"]  # kept: its functions are still at work
    sys.modules["__main__"] = module
    try:
        with open(path, "rb") as f:
            code = compile(f.read(), path, "exec", dont_inherit=True)
        exec(code, module.__dict__)
    finally:
        if callable(getattr(module, "main", None)):
            channel.send("main")
