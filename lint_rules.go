package scriptspec

import "slices"

// Rule is something that Lint looks for. docs/rules.md says more of each.
type Rule struct {
	Code Code `json:"code"`
	// Severity is that of most of its findings.
	Severity Severity `json:"severity"`
	// Summary is one line.
	Summary string `json:"summary"`
	// Fixable reports whether LintOptions.Fix mends some of its findings.
	Fixable bool `json:"fixable"`
}

// LintRules returns the rules of [Store.Lint], sorted by code.
func LintRules() []Rule { return slices.Clone(lintRules) }

var lintRules = []Rule{
	{CodeBaseConflict, SeverityNote, "a base has changed a value that the spec has changed too", false},
	{CodeBaseCycle, SeverityError, "bases extend each other in a cycle", false},
	{CodeCycle, SeverityError, "the graph of a pipeline has a cycle", false},
	{CodeDrift, SeverityWarning, "spec and script differ (only if scripts are read as well)", false},
	{CodeDuplicate, SeverityError, "something is listed twice, or two outputs have one path", true},
	{CodeEmpty, SeverityError, "a logical name, path or variable name is empty", false},
	{CodeFormat, SeverityError, "a name or value does not have the required form", true},
	{CodeMismatch, SeverityError, "the file is named after another script", false},
	{CodeMisnamed, SeverityWarning, "a file looks like a spec, but its name keeps it from being read", false},
	{CodeNewerVersion, SeverityWarning, "the file was written for a newer version of scriptspec", false},
	{CodeNoMatch, SeverityError, "an edge of a pipeline carries nothing", false},
	{CodeNotCreatable, SeverityError, "an output directory cannot be created", false},
	{CodeNotExist, SeverityError, "a script or input does not exist", true},
	{CodeNotFile, SeverityError, "the script is not a regular file", false},
	{CodeNotLocal, SeverityError, "a path is a URL, or has ~ or a variable", false},
	{CodeNotPython, SeverityError, "the script does not end in .py", false},
	{CodeNotReadable, SeverityError, "a script or input is not readable", false},
	{CodeNotWritable, SeverityError, "an output is not writable", false},
	{CodeNUL, SeverityError, "a value has a NUL byte", false},
	{CodeOverlap, SeverityError, "an output lies in an input or in another output", false},
	{CodeRequired, SeverityError, "a required member is empty", false},
	{CodeRewritten, SeverityWarning, "a program that knows only version 1 has dropped members", true},
	{CodeSelfEdge, SeverityError, "an edge leads from a node to itself", false},
	{CodeStaleBase, SeverityWarning, "a base has changed since the spec was rendered", true},
	{CodeTooLong, SeverityError, "a name or value is too long", false},
	{CodeUnconfirmed, SeverityError, "only similar names suggest what an edge carries", false},
	{CodeUnknownBase, SeverityError, "a base does not exist or cannot be loaded", false},
	{CodeUnknownMember, SeverityWarning, "a member, or a name in an example or the settings, is unknown", true},
	{CodeUnknownNode, SeverityError, "an edge or spec names a node that is not in the graph", false},
	{CodeUnknownStep, SeverityWarning, "depends_on names a step that does not exist or does not run before", false},
	{CodeUnknownTag, SeverityWarning, "a tag is not declared (only if known tags are listed)", false},
	{CodeUnreadable, SeverityError, "a file cannot be read as what its name says", false},
	{CodeUnused, SeverityNote, "no pipeline of the store refers to the spec", false},
}
