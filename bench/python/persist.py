"""Times load, validate and save of the same spec files with pydantic and with scriptspec.

    python3 bench/python/persist.py [FILES]

Needs pydantic (Debian: python3-pydantic) and Go. Both run one after the other on the same files, one
thread each, and the table gives microseconds for one file. pydantic's side is the design note's
model: json and a BaseModel, no flushing to disk.
"""

import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

try:
    import pydantic
except ImportError:
    sys.exit("pydantic is not installed; on Debian: apt-get install python3-pydantic")

REPOSITORY = Path(__file__).resolve().parents[2]


class Spec(pydantic.BaseModel):
    """The basic model of the design note."""

    script_name: str
    step_name: str
    script_path: str
    input_paths: Dict[str, str] = {}
    output_paths: Dict[str, str] = {}
    environ_vars: Dict[str, str] = {}
    job_args: Dict[str, Any] = {}
    created_at: Optional[datetime.datetime] = None
    updated_at: Optional[datetime.datetime] = None

    def problems(self) -> List[str]:
        """The checks of the note's validate_spec, without making directories."""
        found = []
        if not re.match(r"^[a-z][a-z0-9_]*$", self.script_name):
            found.append("script_name")
        if not re.match(r"^[A-Z][A-Za-z0-9]*(_[A-Za-z]+)?$", self.step_name):
            found.append("step_name")
        if not Path(self.script_path).exists() or not self.script_path.endswith(".py"):
            found.append("script_path")
        for path in self.input_paths.values():
            if not Path(path).exists() or not os.access(path, os.R_OK):
                found.append(path)
        for path in self.output_paths.values():
            if not Path(path).exists() or not os.access(path, os.W_OK):
                found.append(path)
        return found


def make(directory: Path, count: int) -> List[Path]:
    """Writes the spec files and everything that they name."""
    specs = directory / ".specs"
    specs.mkdir()
    for name in ("in", "out", "metrics"):
        (directory / name).mkdir()
    script = directory / "script.py"
    script.touch()
    files = []
    for i in range(count):
        name = "script_%05d" % i
        spec = {
            "script_name": name,
            "step_name": "Script_training",
            "script_path": str(script),
            "input_paths": {"config": str(directory / "in"), "data_input": str(directory / "in")},
            "output_paths": {"data_output": str(directory / "out"), "metrics": str(directory / "metrics")},
            "environ_vars": {"CURSUS_ENV": "testing", "PYTHONPATH": "/path/to/src"},
            "job_args": {"batch_size": 1000, "validation_split": 0.2},
            "created_at": "2025-09-09T22:14:23.123456",
            "updated_at": "2025-09-09T22:14:23.123456",
        }
        path = specs / (name + "_runtime_test_spec.json")
        path.write_text(json.dumps(spec, indent=2))
        files.append(path)
    return files


def load(path: Path) -> Spec:
    with open(path) as f:
        return Spec(**json.load(f))


def save(spec: Spec, path: Path) -> None:
    data = spec.model_dump() if hasattr(spec, "model_dump") else spec.dict()
    with open(path, "w") as f:
        json.dump(data, f, indent=2, default=str)


def timed(action, items) -> float:
    """Microseconds for one item."""
    start = time.perf_counter()
    for item in items:
        action(item)
    return (time.perf_counter() - start) / len(items) * 1e6


def measure_python(files: List[Path]) -> Dict[str, float]:
    specs = [load(path) for path in files]
    if any(spec.problems() for spec in specs):
        sys.exit("the files that were made are not valid")
    for spec in specs:
        spec.job_args["batch_size"] += 1  # something to save
    return {
        "load": timed(load, files),
        "validate": timed(Spec.problems, specs),
        "save": timed(lambda pair: save(*pair), list(zip(specs, files))),
    }


def measure_go(directory: Path) -> Dict[str, float]:
    out = subprocess.run(
        ["go", "run", "./bench/python", str(directory)], cwd=REPOSITORY, check=True, stdout=subprocess.PIPE
    ).stdout
    return json.loads(out)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        files = make(directory, count)
        theirs = measure_python(files)
        ours = measure_go(directory)
    print("%d files, pydantic %s, Python %s" % (count, pydantic.VERSION, sys.version.split()[0]))
    print("%-28s %12s %12s %8s" % ("microseconds for one file", "pydantic", "scriptspec", "times"))
    rows = [
        ("load", "load", "load"),
        ("validate, paths included", "validate", "validate"),
        ("save, not flushed", "save", "write"),
        ("save, flushed to disk", None, "save"),
        ("save, nothing changed", "save", "save_unchanged"),
    ]
    for title, python_key, go_key in rows:
        go = ours[go_key]
        if python_key is None:
            print("%-28s %12s %12.1f" % (title, "-", go))
        else:
            print("%-28s %12.1f %12.1f %8.1f" % (title, theirs[python_key], go, theirs[python_key] / go))


if __name__ == "__main__":
    main()
