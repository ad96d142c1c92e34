"""Checks which packages an interpreter has, by the rules of PEP 440. Used before a script that declares some."""

import re

VERSION = re.compile(
    r"""\s*v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)
    (?P<pre>[-_.]?(?P<pre_word>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?P<pre_number>[0-9]+)?)?
    (?P<post>-(?P<post_bare>[0-9]+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>[0-9]+)?)?
    (?P<dev>[-_.]?dev[-_.]?(?P<dev_number>[0-9]+)?)?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
WORDS = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
LEAST, MOST = (0,), (2,)  # around (1, ...)


class Version:
    """A version that can be compared; ValueError for a text that is none."""

    def __init__(self, text):
        found = VERSION.fullmatch(text)
        if not found:
            raise ValueError(text)
        self.epoch = int(found["epoch"] or 0)
        self.release = tuple(int(part) for part in found["release"].split("."))
        self.pre = self.post = self.dev = None
        if found["pre"]:
            word = found["pre_word"].lower()
            self.pre = WORDS.get(word, word), int(found["pre_number"] or 0)
        if found["post"]:
            self.post = int(found["post_bare"] or found["post_number"] or 0)
        if found["dev"]:
            self.dev = int(found["dev_number"] or 0)
        parts = re.split(r"[-_.]", found["local"].lower()) if found["local"] else []
        self.local = tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)

    def trimmed(self):
        release = self.release
        while len(release) > 1 and release[-1] == 0:
            release = release[:-1]
        return release

    def public(self):
        """Returns the key of the version without its local part."""
        pre = MOST if self.pre is None else (1,) + self.pre
        if self.pre is None and self.post is None and self.dev is not None:
            pre = LEAST  # 1.0.dev1 comes before 1.0a1
        post = LEAST if self.post is None else (1, self.post)
        dev = MOST if self.dev is None else (1, self.dev)
        return self.epoch, self.trimmed(), pre, post, dev

    def key(self):
        return self.public(), (LEAST if not self.local else (1,)), self.local

    def base(self):
        return self.epoch, self.trimmed()

    def is_pre(self):
        return self.pre is not None or self.dev is not None


def accepts(specifier, text):
    """Reports whether a version complies with one specifier, as >=1.3."""
    parts = re.fullmatch(r"\s*(===|==|!=|~=|<=|>=|<|>)\s*(.*?)\s*", specifier)
    if parts is None:
        raise ValueError("%s is no specifier" % specifier)  # of a newer version of the spec
    operator, wanted = parts.groups()
    if operator == "===":
        return text.lower() == wanted.lower()
    have = Version(text)
    if wanted.endswith(".*"):
        prefix = Version(wanted[:-2])
        release = have.release + (0,) * (len(prefix.release) - len(have.release))
        same = have.epoch == prefix.epoch and release[: len(prefix.release)] == prefix.release
        if prefix.pre is not None or prefix.post is not None:
            same = same and (prefix.pre, prefix.post) == (have.pre, have.post if prefix.post is not None else None)
        return same == (operator == "==")
    want = Version(wanted)
    if operator in ("==", "!="):
        same = have.key() == want.key() if want.local else have.public() == want.public()
        return same == (operator == "==")
    if operator == "~=":
        prefix = want.release[:-1]
        release = have.release + (0,) * (len(prefix) - len(have.release))
        return have.public() >= want.public() and have.epoch == want.epoch and release[: len(prefix)] == prefix
    if operator == "<=":
        return have.public() <= want.public()
    if operator == ">=":
        return have.public() >= want.public()
    if operator == "<":
        if not want.is_pre() and have.is_pre() and have.base() == want.base():
            return False
        return have.key() < want.key()
    if want.post is None and have.post is not None and have.base() == want.base():
        return False
    if have.local and have.base() == want.base():
        return False
    return have.key() > want.key()


def problem(packages, metadata):
    """Returns what is missing, "" if nothing is. metadata is importlib.metadata."""
    problems = []
    for name, wanted in sorted(packages.items()):
        try:
            have = metadata.version(name)
        except metadata.PackageNotFoundError:
            problems.append("needs %s %s, which is not installed" % (name, wanted) if wanted else "needs %s, which is not installed" % name)
            continue
        if not isinstance(have, str):
            problems.append("needs %s %s, whose version the interpreter does not know" % (name, wanted) if wanted else "")
            continue
        try:
            fits = all(accepts(part, have) for part in wanted.split(",") if part.strip())
        except ValueError:
            continue  # a version of before PEP 440: it is there, and more cannot be told
        if not fits:
            problems.append("needs %s %s, the interpreter has %s" % (name, wanted, have))
    return "; ".join(filter(None, problems))
