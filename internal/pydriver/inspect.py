"""Reads Python scripts without running them, and tells what their main takes and reads.

The list of paths is base64 of JSON, given to run() on the last line; a JSON list of what was found
goes to standard output. Nothing of a script is imported or executed: only its syntax is looked at.
"""

import ast
import base64
import json
import sys

PATHS = ("input_paths", "output_paths")
UNKNOWN = object()
# Methods of parsers with which a script takes more than its add_argument calls show.
OPEN_ENDED = ("add_subparsers", "parse_known_args", "parse_known_intermixed_args")


class Reading(ast.NodeVisitor):
    """Collects the literal keys and names that a module reads."""

    def __init__(self, constants, literals, functions):
        self.constants = constants
        self.literals = literals  # of the module: names that are bound once, to a list or tuple
        self.functions = functions
        self.paths = {name: {} for name in PATHS}
        self.environ = {}
        self.job_args = {}
        self.flags = []
        self.dynamic = set()
        self.unread = {}  # by table, the first line with a key that only a run can tell
        self.escaped = {}  # by table, the first line that passes it on
        self.own_tables = set()  # which the script goes through
        self.own_keys = set()  # names that do so, by its keys, which are those of the spec
        self.accounted = set()  # expressions that read a known name, or pass a table on as it is
        self.methods = set()  # attributes of job_args that are called, as only methods are

    def key(self, node):
        """Returns the text of a key, or None where only a run could tell, or without one."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if type(node).__name__ == "Index":  # Python 3.8
            return self.key(node.value)
        if isinstance(node, ast.Name):
            return self.constants.get(node.id)
        return None

    def found(self, table, where, node, required, default=UNKNOWN):
        """Notes one use of a key. It is required if any use of it is."""
        name = self.key(node)
        if name is None:
            self.dynamic.add(where)
            key = node.value if type(node).__name__ == "Index" else node
            if getattr(key, "id", None) not in self.own_keys:
                first(self.unread, where, key)
            return
        entry = table.setdefault(name, {"name": name, "required": False})
        entry["required"] = entry["required"] or required
        if default is not UNKNOWN and "default" not in entry:
            try:
                value = ast.literal_eval(default)
                json.dumps(value, allow_nan=False)
                entry["default"] = value
            except (ValueError, TypeError):
                pass  # not a literal, or one without JSON

    def table(self, node):
        """Returns the table that an expression reads from, and what it is called."""
        if isinstance(node, ast.Name):
            if node.id in self.paths:
                return self.paths[node.id], node.id
            if node.id in ("environ_vars", "environ"):
                return self.environ, "environ_vars"
        if isinstance(node, ast.Attribute) and node.attr == "environ" and is_name(node.value, "os"):
            return self.environ, "environ_vars"
        if (
            isinstance(node, ast.Call)
            and is_name(node.func, "vars")
            and len(node.args) == 1
            and is_name(node.args[0], "job_args")
        ):
            self.accounted.add(id(node.args[0]))
            return self.job_args, "job_args"
        return None, None

    def visit_Subscript(self, node):
        table, where = self.table(node.value)
        if table is not None:
            self.accounted.add(id(node.value))
            self.found(table, where, node.slice, isinstance(node.ctx, ast.Load))
        self.generic_visit(node)

    def visit_Name(self, node):
        self.escapes(node)

    def escapes(self, node):
        """A table that is used as a whole may be read under another name."""
        table, where = self.table(node)
        if is_name(node, "job_args"):
            table, where = self.job_args, "job_args"
        if table is not None and id(node) not in self.accounted and isinstance(node.ctx, ast.Load):
            self.dynamic.add(where)
            first(self.escaped, where, node)

    def note_loops(self, tree):
        """Notes the names that go through a table itself: for name in output_paths, or its items()."""
        for node in ast.walk(tree):
            if not isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
                continue
            through = [where for where in (self.table(part)[1] for part in ast.walk(node.iter)) if where]
            if through:
                self.own_tables.update(through)
                target = node.target.elts[0] if isinstance(node.target, ast.Tuple) and node.target.elts else node.target
                self.own_keys.add(getattr(target, "id", None))
        self.own_keys.discard(None)

    def keys_not_read(self):
        """Returns the tables with keys that could not be read, and where. One that is passed on has some if it has no others."""
        for name in PATHS:
            if name in self.escaped and not self.paths[name] and name not in self.own_tables:
                self.unread.setdefault(name, self.escaped[name])
        return self.unread

    def visit_ImportFrom(self, node):
        if node.module == "os" and any(alias.asname for alias in node.names if alias.name in ("environ", "getenv")):
            self.dynamic.add("environ_vars")

    def visit_Import(self, node):
        if any(alias.name == "os" and alias.asname for alias in node.names):
            self.dynamic.add("environ_vars")

    def visit_Call(self, node):
        func, args = node.func, node.args
        for keyword in node.keywords:
            # f(input_paths=input_paths): its uses are found there, if f is a function of this module
            if keyword.arg in self.functions.get(getattr(func, "id", None), ()) and is_name(keyword.value, keyword.arg):
                self.accounted.add(id(keyword.value))
        default = args[1] if len(args) > 1 else UNKNOWN
        if isinstance(func, ast.Attribute) and func.attr == "add_argument":
            self.flag(node)
        elif isinstance(func, ast.Attribute) and func.attr in OPEN_ENDED:
            self.dynamic.add("flags")
        if isinstance(func, ast.Attribute) and is_name(func.value, "job_args"):
            # A Namespace has no methods, so that this fails, but what it is to read is an argument.
            self.methods.add(id(func))
            if func.attr in ("get", "pop", "setdefault") and args:
                self.found(self.job_args, "job_args", args[0], False, default)
            else:
                self.dynamic.add("job_args")
        elif isinstance(func, ast.Attribute) and args:
            table, where = self.table(func.value)
            if table is not None and func.attr in ("get", "pop", "setdefault"):
                self.accounted.add(id(func.value))
                self.found(table, where, args[0], False, default)
            elif func.attr == "getenv" and is_name(func.value, "os"):
                self.found(self.environ, "environ_vars", args[0], False, default)
        elif is_name(func, "getenv") and args:
            self.found(self.environ, "environ_vars", args[0], False, default)
        elif is_name(func, "getattr", "hasattr") and len(args) > 1 and is_name(args[0], "job_args"):
            self.accounted.add(id(args[0]))
            required = func.id == "getattr" and len(args) == 2
            self.found(self.job_args, "job_args", args[1], required, args[2] if len(args) > 2 else UNKNOWN)
        self.generic_visit(node)

    def flag(self, node):
        """Notes what parser.add_argument(...) is told of one flag or positional argument."""
        names = [self.key(arg) for arg in node.args]
        options = {keyword.arg: keyword.value for keyword in node.keywords}
        if not names or None in names or None in options:
            self.dynamic.add("flags")
            return
        flag = {"names": names, "type": "str", "choices": None, "required": False, "takes": "one"}
        dest = next((name for name in names if name.startswith("--")), names[0])
        flag["dest"] = self.key(options.get("dest")) or dest.lstrip("-").replace("-", "_")
        if "type" in options:
            flag["type"] = options["type"].id if is_name(options["type"], "int", "float", "str", "bool") else ""
        if "required" in options:
            flag["required"] = self.literal(options["required"]) is True
        choices = self.literal(options.get("choices"))
        if isinstance(choices, (list, tuple, set, dict)):
            flag["choices"] = sorted(choices, key=str) if isinstance(choices, set) else list(choices)
        default = self.literal(options.get("default"))
        if default is not UNKNOWN:
            flag["default"] = default
        flag["action"], flag["takes"] = self.takes(options)
        try:
            json.dumps(flag, allow_nan=False)
        except (ValueError, TypeError):
            flag["choices"] = None
            flag.pop("default", None)
        self.flags.append(flag)

    def takes(self, options):
        """Returns the action and how many values a flag takes: none, one, maybe (one or none), many, or "" if that
        cannot be told."""
        action = options.get("action")
        name = "store" if action is None else self.key(action) or getattr(action, "attr", getattr(action, "id", ""))
        if name in ("store_true", "store_false", "store_const", "count", "append_const", "help", "version", "BooleanOptionalAction"):
            return name, "none"
        if name not in ("store", "append", "extend"):
            return name, ""
        name = "" if name == "store" else name
        nargs = self.literal(options.get("nargs"))
        if "nargs" not in options or nargs is None:
            return name, "one"
        if nargs == "?":
            return name, "maybe"
        return name, "many" if nargs in ("*", "+") or isinstance(nargs, int) else ""

    def literal(self, node):
        """Returns the value of an expression, or UNKNOWN where only a run could tell."""
        if isinstance(node, ast.Name):
            node = self.literals.get(node.id, node)
        try:
            return UNKNOWN if node is None else ast.literal_eval(node)
        except (ValueError, TypeError):
            return UNKNOWN

    def visit_Attribute(self, node):
        self.escapes(node)
        if is_name(node.value, "job_args"):
            self.accounted.add(id(node.value))
        if is_name(node.value, "job_args") and not node.attr.startswith("__") and id(node) not in self.methods:
            self.found(self.job_args, "job_args", ast.Constant(node.attr), isinstance(node.ctx, ast.Load))
        self.generic_visit(node)

    def visit_Compare(self, node):
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            table, where = self.table(node.comparators[0])
            if table is not None and self.key(node.left) is not None:
                self.accounted.add(id(node.comparators[0]))
                self.found(table, where, node.left, False)
        self.generic_visit(node)


def first(lines, where, node):
    """Keeps the first line of what is found of a table."""
    line = getattr(node, "lineno", None)  # which slices lack in Python 3.8
    if line is not None:
        lines[where] = min(lines.get(where, line), line)


def is_name(node, *names):
    return isinstance(node, ast.Name) and node.id in names


def top_level(body):
    """Yields the statements that run in a module's own scope: those in blocks, not in functions."""
    for node in body:
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for part in ("body", "orelse", "finalbody"):
            yield from top_level(getattr(node, part, None) or [])
        for block in (getattr(node, "handlers", None) or []) + (getattr(node, "cases", None) or []):
            yield from top_level(block.body)


def bindings(tree):
    """Counts for each name how often anything in a module, in whichever scope, gives it a value."""
    counts = {}
    for node in ast.walk(tree):
        name = None
        if isinstance(node, ast.Name):
            name = None if isinstance(node.ctx, ast.Load) else node.id
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.alias):
            name = node.asname or node.name.split(".")[0]
        elif not isinstance(node, ast.keyword):
            # functions, classes, exception handlers and the captures of match statements
            name = getattr(node, "name", None) or getattr(node, "rest", None)
        if name is not None:
            counts[name] = counts.get(name, 0) + 1
    return counts


def assignment(node):
    """Returns the targets and the value of a plain or annotated assignment."""
    if isinstance(node, ast.Assign):
        return node.targets, node.value
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return [node.target], node.value
    return [], None


def binds(node, name):
    """Reports whether a statement gives a name a value by itself, not by the statements in it."""
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return False
    return any(
        is_name(part, name) and isinstance(part.ctx, ast.Store)
        for child in ast.iter_child_nodes(node)
        if isinstance(child, (ast.expr, ast.withitem))
        for part in ast.walk(child)
    )


def find_main(statements):
    """Returns what main is bound to last: a function or lambda, True where that cannot be told."""
    functions, main = {}, None
    for node in statements:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            functions[node.name] = True if node.decorator_list else node
            if node.name == "main":
                main = functions[node.name]
        elif isinstance(node, ast.ClassDef) and node.name == "main":
            main = True
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            if any((alias.asname or alias.name) == "main" for alias in node.names):
                main = True
        elif any(is_name(target, "main") for target in assignment(node)[0]):
            value = assignment(node)[1]
            main = value if isinstance(value, ast.Lambda) else True
            if isinstance(value, ast.Name):
                main = functions.get(value.id, True)
        elif isinstance(node, ast.Delete) and any(is_name(target, "main") for target in node.targets):
            main = None
        elif not isinstance(node, ast.ClassDef) and binds(node, "main"):
            main = True
    if main is None and any(
        isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names) for node in statements
    ):
        main = True
    return main


def parameters(function):
    """Lists the parameters of a function: name, kind, whether there is a default."""
    args = function.args
    positional = getattr(args, "posonlyargs", []) + args.args
    without = len(positional) - len(args.defaults)
    listed = []
    for i, arg in enumerate(positional):
        kind = "positional_only" if i < len(getattr(args, "posonlyargs", [])) else "positional_or_keyword"
        listed.append({"name": arg.arg, "kind": kind, "has_default": i >= without})
    if args.vararg:
        listed.append({"name": args.vararg.arg, "kind": "var_positional", "has_default": True})
    for arg, default in zip(args.kwonlyargs, args.kw_defaults):
        listed.append({"name": arg.arg, "kind": "keyword_only", "has_default": default is not None})
    if args.kwarg:
        listed.append({"name": args.kwarg.arg, "kind": "var_keyword", "has_default": True})
    return listed


def inspect(path):
    """Returns what is to be known of one script."""
    result = {"path": path, "has_main": False}
    try:
        with open(path, "rb") as f:
            tree = ast.parse(f.read(), path)
        statements = list(top_level(tree.body))
        bound = bindings(tree)
        constants, literals, functions = {}, {}, {}
        for node in statements:
            targets, value = assignment(node)
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                # One that is bound again, in whatever scope, may be something else where it is read.
                constants.update({t.id: value.value for t in targets if isinstance(t, ast.Name) and bound[t.id] == 1})
            elif isinstance(value, (ast.List, ast.Tuple)):
                literals.update({t.id: value for t in targets if isinstance(t, ast.Name) and bound[t.id] == 1})
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and bound[node.name] == 1:
                functions[node.name] = {parameter["name"] for parameter in parameters(node)}
        main = find_main(statements)
        result["has_main"] = main is not None
        result["opaque"] = main is True
        if main is not None and main is not True:
            result["is_async"] = isinstance(main, ast.AsyncFunctionDef)
            result["parameters"] = parameters(main)
        reading = Reading(constants, literals, functions)
        reading.note_loops(tree)
        reading.visit(tree)
    except SyntaxError as error:
        result["error"] = ("line %s: %s" % (error.lineno, error.msg)) if error.lineno else str(error.msg)
        return result
    except Exception as error:  # one script must not cost the answers for the others
        result["error"] = ("%s: %s" % (type(error).__name__, error)).rstrip(": ")
        return result
    for name in PATHS:
        result[name] = in_order(reading.paths[name])
    result["environ_vars"] = in_order(reading.environ)
    result["job_args"] = in_order(reading.job_args)
    result["flags"] = reading.flags
    result["dynamic"] = sorted(reading.dynamic)
    result["unread"] = reading.keys_not_read()
    return result


def in_order(table):
    return [table[name] for name in sorted(table)]


def run(encoded):
    paths = json.loads(base64.b64decode(encoded).decode("utf-8", "surrogateescape"))
    json.dump([inspect(path) for path in paths], sys.stdout)


