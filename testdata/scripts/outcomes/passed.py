"""Does what a script should."""

import json
import os


def main(input_paths, output_paths, environ_vars, job_args):
    with open(os.path.join(output_paths["data_output"], "result.json"), "w") as f:
        json.dump({"batch_size": job_args.batch_size}, f)
    return {"rows": 2}
