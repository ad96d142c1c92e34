// Package scriptspec tests the Python scripts of machine-learning pipelines.
//
// A script execution spec carries all that one run of a script needs: where the script is, which
// files are its inputs and outputs, its environment variables and its job arguments. Specs are
// JSON files that Go and Python programs share. A [RuntimeTester] runs a script under its spec, in
// a process of its own:
//
//	spec := scriptspec.New("tabular_preprocessing", "TabularPreprocessing_training",
//		"scripts/tabular_preprocessing.py")
//	spec.AddInputPath("data_input", "data/raw")
//	spec.AddOutputPath("data_output", "out/clean")
//	spec.AddJobArg("validation_split", 0.25)
//	if err := spec.ValidateSpec(nil); err != nil {
//		return err // every problem at once
//	}
//	result, err := (&scriptspec.RuntimeTester{}).TestScript(ctx, spec)
//	if err != nil {
//		return err // nothing was tested: there is no interpreter, for example
//	}
//	fmt.Println(result, result.Success)
//
// # Two identities
//
// A script has a file name in snake_case ("tabular_preprocessing", found on disk) and a DAG node
// name in PascalCase with an optional job type ("TabularPreprocessing_training", matched in the
// pipeline). [ToSnakeCase], [ToPascalCase] and [ParseStepName] convert between them.
//
// A [SpecBuilder] finds the script of a node and makes its spec, or proposes one for each script of a folder; [Inspect] reads
// what a script takes without running it, a [PathMatcher] wires outputs to inputs, and a [DAG] orders nodes.
//
// # A run
//
// [RuntimeTester.TestScript] starts an interpreter, or forks one that is kept warm, in a session of its
// own. A small driver imports the script and calls its main. Parameters and result travel over pipes of
// their own, so that stdout and stderr belong to the script. A run passes if main returned, the process
// exited with 0 on its own, each output has data that this run has written, and no input was changed.
// Every other end is an [Outcome] of its own. Whatever the script started has ended when TestScript
// returns: on Linux including what has left its session, on other unix systems its process group, on
// Windows only the interpreter. [RunStore] runs the specs of a store as subtests of go test.
//
// # A pipeline
//
// A [PipelineTestingSpec] is a DAG with a spec for each node. Its Plan shows the order and what feeds
// each input: names and aliases bind; a pair that is only similar must be confirmed by a [Wire] or
// allowed by AllowSemantic. [RuntimeTester.TestPipeline] runs the nodes with as much parallelism as the
// graph allows, each in <work>/<node>/<logical name>, on the outputs of the nodes before it. The specs
// do not change. [Checker] functions, by default [DefaultCheckers], check what is handed over; the
// problems they find fail the run and are in every report. From, To and Only run a part of the pipeline
// on the results of an earlier run, provided that these are of the same specs, wires, scripts, imported
// modules, inputs, files of depends_on and values of variables, and that their data is as it was made. [RunPipeline] runs a
// pipeline as a test.
//
// # Reports
//
// The results of a script, a store and a pipeline are a [Result]: they write themselves as JSON, text, Markdown, JUnit
// XML, GitHub annotations, lines as compilers write them, SARIF, metrics for Prometheus, a trace for OpenTelemetry and one
// HTML page, the same bytes for the same result.
// What scripts have printed appears in them as text and nothing else. [DiffResults] compares two of them.
//
// The command scriptspec, in cmd/scriptspec, does all this from a shell. [FindStore] and [Store.Tester] tell a Go program
// what the command goes by: the nearest specs, and what a team has settled for them; relative paths start where [BaseOfProject] says.
//
// # On disk
//
// A [Store] keeps the specs of a test data directory:
//
//	<test_data_dir>/.specs/<script_name>_runtime_test_spec.json
//	<test_data_dir>/.specs/<script_name>.<job_type>_runtime_test_spec.json         (SaveStep)
//	<test_data_dir>/.specs/<script_name>.<base>.<job_type>_runtime_test_spec.json  (if another step has that)
//	<test_data_dir>/.specs/<name>_pipeline_testing_spec.json                       (SavePipeline)
//
// The members of a file, in the order in which they are written: $schema, script_name, step_name,
// script_path, input_paths, output_paths (or input_path_specs, output_path_specs in an enhanced
// spec), environ_vars, job_args, created_at, updated_at; of version 2 of the format spec_version, description, tags,
// labels, extends, inherited, depends_on, optional, timeout, max_memory, examples, container_paths, budget, retries,
// secrets; then members that this version does not know. A file with none of version 2 is of version 1, byte for byte.
// Nothing is lost between loading and saving: unknown members, big integers, 1.0 as opposed
// to 1, times without a zone. A save is atomic, and durable when it returns nil. New files have mode
// 0600 and a new .specs 0700, because a spec may hold secrets; [StoreOptions] can widen that.
//
// # Bases, templates, selection
//
// Beside the specs may be bases (<name>_spec_base.json), which [Store.Render] puts into the specs that extend them, and
// templates (templates/<name>.json), of which [Template.New] makes specs. Loading and running look at neither.
// [Store.Select] finds specs by tags, labels, names and what they depend on; [Migrate] takes old ones to the newest
// version of the format; [JSONSchema] describes every kind of file.
//
// # History
//
// [RuntimeTester.History] records each attempt, a line of JSON in <test_data_dir>/.specs/.history/<year>-<month>.jsonl, with
// digests of spec, script and inputs, and nothing of values, output, users or machines. [Store.Stats] says what that comes
// to: medians, trends that are news and not noise, what is flaky, and suggestions. [SuiteOptions] has shards that take
// about as long, and what failed last time alone or first. Nothing is ever sent anywhere.
//
// # On a cluster
//
// With [RuntimeTester.Engine] scripts run as jobs of Slurm: for each, a directory with a request, which the helper
// scriptspec node ([RunNode]) takes on a compute node, and with its reply. The reply decides; a job without one is lost
// ([NodeLost], [ErrLost]). Those of a pipeline are in its work directory until its run has ended, so that the next run
// takes up what a driver that was killed has left:
//
//	<work>/.scriptspec/jobs/<node>/<number>/{request.json,job,begun,result.json,job.log}
//
// # Concurrency
//
// A spec is like a map: it may have many readers or one writer at a time. A Store and a RuntimeTester can
// be used by any number of goroutines. Any number of processes may load, save, update and delete in one
// directory: a reader sees one whole version, the last save wins, and [Store.Update] loses no change.
// The store's lock is one per directory, is held for a moment, and ends with the process that holds it. A
// work directory belongs to one run of a pipeline at a time, or to several that are [PipelineOptions.Shared], each with
// nodes of its own; another gets ErrLocked.
//
// # Errors
//
// Exported functions return error. Behind it are pointers: a [*ValidationError] with every
// [*FieldError] of a spec, in a fixed order, or a [*DecodeError] for each problem of a file, with
// line and column. A problem with a single name or argument is a *FieldError. Use [errors.Is] and
// [errors.AsType]; system errors such as [io/fs.ErrNotExist] can be asked for too. Programs should act
// on a [Code], not on text.
//
// # Secrets
//
// The values of environment variables appear in no error, no String, no slog record and nothing that
// this package reports about a run, and neither do those of job arguments with a word such as password,
// secret, token or api_key in their name. Where a script prints one of 6 characters or more, its output,
// traceback, return value and log show [redacted: NAME] instead: for the value as it is, a line of it, and
// its forms in JSON, Python's repr, URLs and base64. A value that is in the text of the script, or part of a
// path or name of the spec, is not a secret; RuntimeTester.Secrets can say the same of others. Not covered are values that the script takes apart or encodes in another way, reading the
// EnvironVars map, marshalling a spec with encoding/json, the verbs %p and %w, for which fmt does not
// ask a type how to print it, and reflection that does not ask either, such as testify's diffs or a spec
// in an unexported field of a struct that is printed. For these there is Redacted.
//
// # What Python reads differently
//
// What the design note's Python model accepts is accepted with the same value, except:
//
//	in the file                            Python                        here
//	a name twice in one object             the last one counts           refused
//	Script_Name beside script_name         ignored                       refused
//	NaN, Infinity, -Infinity               float                         refused: not JSON
//	a lone surrogate escape                a string that cannot be       refused
//	                                       written as UTF-8
//	1e400                                  inf                           kept as 1e400
//	an enhanced file with the plain path   both are read                 they must agree; a save that
//	maps as well                                                         changes something leaves the
//	                                                                     plain maps out
//	no script_path                         refused                       ""
//	a wrong created_at in an enhanced      ignored by the enhanced       refused
//	file                                   model
//	nesting beyond 1,000                   RecursionError, from about    refused
//	                                       the same depth on
//	NUL in a path, name or environment     a string                      refused: no system
//	                                                                     call takes it
//	an environment name that is empty or   a string                      refused
//	holds '=' or a line break
//	script_name with a slash, a colon,     a string                      refused: it becomes
//	a control or non-ASCII character                                     part of a file name
//	script_path: null                      refused                       "", as the original
//	                                                                     system means it
//	input_path_specs without               ignored by the basic model    an enhanced spec
//	input_paths
//	no created_at                          the time of loading           zero
//	a time as digits with an exponent      sometimes accepted            refused
//	a fraction of 10 digits or more        cut off                       refused
//	epoch times with a fraction that are   pydantic rounds or cuts       rounded to the microsecond;
//	negative, finer than a microsecond,    in ways of its own            the integer part decides
//	or within 1 of 2e10                                                  between seconds and millis
//	more values than memory should be      as many as fit                refused: about ten times
//	spent on                                                             its text, at least 32 MB
//
// # Deviations from the design note
//
//   - Validate accepts the note's step names, whose job type is letters only. Saving, running and
//     ParseStepName accept any job type (us_east_1); so can Validate, with a StepNameRule.
//   - An unreadable script is an error, and so is a script path that is not a regular file.
//   - Validation changes nothing. The note's validate_paths makes output directories; here
//     ValidateOptions.CreateOutputs, AutoFixCommonIssues and a run do.
//   - Names are matched as a whole: Python's $ accepts a newline at the end.
//   - Empty input and output paths, and NUL anywhere, are errors.
//   - New times are UTC with an offset; the note's have no zone. Python cannot compare the two
//     kinds: use astimezone() first.
//   - updated_at never moves back and is never before created_at, whatever the clock does.
//   - _to_snake_case knows technical terms (XGBoostTraining is xgboost_training, not
//     xg_boost_training), cleans separators, and returns "" rather than an invalid name.
//   - Loading an enhanced file as a basic spec is refused instead of dropping its aliases.
//   - A node's script is found exactly or not at all; nothing is guessed, and no placeholder written.
//   - A spec may have a file for each step (SaveStep), so that nodes do not overwrite each other's.
//   - The script runs in a process of its own, with a timeout, with its environment in place
//     before Python starts, and afterwards there must be new data in every output.
//   - A run has a TMPDIR of its own, and empty entries of PYTHONPATH, which mean the working
//     directory, are dropped.
package scriptspec
