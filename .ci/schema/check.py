"""Checks the schemas with python3-jsonschema, and that pydantic models of the original read what is new.

Usage: check.py STRICT_SCHEMA
"""

import glob
import importlib.metadata
import json
import os
import sys
from typing import Any, Dict, Optional

import jsonschema
import pydantic

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def read(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def files(*pattern):
    return sorted(glob.glob(os.path.join(ROOT, *pattern)))


schemas = {os.path.basename(path).split(".")[0]: read(path) for path in files("schema", "*.json")}
schemas["strict"] = read(sys.argv[1])
for schema in schemas.values():
    jsonschema.Draft7Validator.check_schema(schema)
validators = {kind: jsonschema.Draft7Validator(schema) for kind, schema in schemas.items()}

good = 0
for kind, paths in {
    "strict": files("testdata", ".specs", "*_runtime_test_spec.json"),
    "spec": files("testdata", "migrate", "*.golden") + files("testdata", "good", "spec.json"),
    "base": files("testdata", "good", "base.json"),
    "pipeline": files("testdata", ".specs", "*_pipeline_testing_spec.json") + files("testdata", "good", "pipeline.json"),
    "template": files("templates", "*.json") + files("testdata", "good", "template.json"),
    "result": files("testdata", "report", "*json.json"),
}.items():
    for path in paths:
        errors = list(validators[kind].iter_errors(read(path)))
        assert not errors, "%s is no %s: %s" % (path, kind, errors[0].message)
        good += 1

bad = read(os.path.join(ROOT, "testdata", "bad", "EXPECT.json"))
for name, expected in bad.items():
    found = validators[expected["kind"]].iter_errors(read(os.path.join(ROOT, "testdata", "bad", name)))
    places = {"".join("/%s" % step for step in error.absolute_path) for error in found}
    assert expected["place"] in places, "%s: %s is not among %s" % (name, expected["place"], places)


class Original(pydantic.BaseModel):
    """The design note's model, which knows the members of version 1 alone."""

    script_name: str
    step_name: str
    script_path: str = ""
    input_paths: Dict[str, str] = {}
    output_paths: Dict[str, str] = {}
    environ_vars: Dict[str, str] = {}
    job_args: Dict[str, Any] = {}
    created_at: Optional[str] = None
    updated_at: Optional[str] = None


full = read(os.path.join(ROOT, "testdata", "good", "spec.json"))
spec = Original(**full)
spec.job_args["batch_size"] = 32
dump = getattr(spec, "model_dump", spec.dict)()
assert dump["job_args"] == {"batch_size": 32}
assert not list(validators["spec"].iter_errors(dump))
print("python3-jsonschema %s: %d good files, %d bad ones; pydantic %s reads version 2" % (importlib.metadata.version("jsonschema"), good, len(bad), pydantic.VERSION))
