package scriptspec

import (
	"context"
	"slices"
	"strconv"
)

// DataCheck is a [Checker] for a part of the data of a pipeline. With a Dest it looks at what the edge from
// Source hands over, as PipelineOptions.Checkers do. Without one it looks at the outputs of Source once its
// script has passed, whether anybody is given them or not; what it finds fails the node. An empty Output or
// Input stands for every one. A name that the pipeline does not have is an error.
type DataCheck struct {
	Source, Output string
	Dest, Input    string
	Check          Checker
}

// hands reports whether the check is about what a transfer hands over.
func (c *DataCheck) hands(t Transfer) bool {
	return c.Dest == t.Dest && c.Source == t.Source && (c.Output == "" || c.Output == t.Output) && (c.Input == "" || c.Input == t.Input)
}

// isOf reports whether the check is about an output itself.
func (c *DataCheck) isOf(node, output string) bool {
	return c.Dest == "" && c.Source == node && (c.Output == "" || c.Output == output)
}

// checkErrors finds checks that would never look at anything.
func (o *PipelineOptions) checkErrors(p *PipelineTestingSpec) []*FieldError {
	var errs []*FieldError
	for i, c := range o.Checks {
		place := "options.checks[" + strconv.Itoa(i) + "]"
		fail := func(member string, code Code, value, message string, known []string) {
			fe := &FieldError{Path: place + member, Code: code, Message: message, rank: rank{section: rankOptions, key: "options.checks", index: i}}
			if fe.Value = value; value != "" && len(known) > 0 {
				fe.Hint = meantOf(known, value)
			}
			errs = append(errs, fe)
		}
		if c.Check == nil {
			fail(".check", CodeEmpty, "", "the check is nil", nil)
		}
		nodes := slices.Sorted(slices.Values(p.DAG.Nodes))
		unknown := false
		for _, end := range []struct{ member, node, name string }{{".source", c.Source, c.Output}, {".dest", c.Dest, c.Input}} {
			switch {
			case end.node == "" && (end.member == ".source" || end.name != ""):
				fail(end.member, CodeRequired, "", "the check names no node", nil)
				unknown = true
			case end.node != "" && !slices.Contains(nodes, end.node):
				fail(end.member, CodeUnknownNode, end.node, "there is no node "+printable(end.node), nodes)
				unknown = true
			}
		}
		if unknown {
			continue
		}
		if c.Dest != "" && !slices.Contains(p.DAG.Edges, [2]string{c.Source, c.Dest}) {
			fail(".dest", CodeUnknownNode, c.Dest, "there is no edge from "+printable(c.Source)+" to "+printable(c.Dest), nil)
			continue
		}
		if spec := p.Specs[c.Source]; c.Output != "" && !isNil(spec) && !hasPath(spec, fieldOutputs, c.Output) {
			fail(".output", CodeNoMatch, c.Output, printable(c.Source)+" has no output "+printable(c.Output), entryKeys(sortedPaths(spec, fieldOutputs)))
		}
		if spec := p.Specs[c.Dest]; c.Input != "" && !isNil(spec) && !hasPath(spec, fieldInputs, c.Input) {
			fail(".input", CodeNoMatch, c.Input, printable(c.Dest)+" has no input "+printable(c.Input), entryKeys(sortedPaths(spec, fieldInputs)))
		}
	}
	return errs
}

func hasPath(s Spec, f field, name string) bool {
	return slices.Contains(entryKeys(sortedPaths(s, f)), name)
}

// checkersOf returns all that are to look at a transfer.
func (o *PipelineOptions) checkersOf(t Transfer) []Checker {
	checkers := slices.Clone(o.Checkers)
	for i := range o.Checks {
		if c := &o.Checks[i]; c.hands(t) {
			checkers = append(checkers, c.Check)
		}
	}
	return checkers
}

// checkData says what the checks of a node's own outputs find, "" for nothing.
func (r *pipelineRun) checkData(ctx context.Context, n *runNode, outputs map[string]*outputData) string {
	for _, name := range sortedKeys(outputs) {
		data := outputs[name]
		for i := range r.options.Checks {
			c := &r.options.Checks[i]
			if !c.isOf(n.Node, name) {
				continue
			}
			text := guarded("the check", func() error { return c.Check(ctx, data.transfer(n.Node, name)) })
			if text != "" && ctx.Err() == nil { // else the run is over, and not the data wrong
				return "output " + printable(name) + " is not as it should be: " + firstLine(text)
			}
		}
	}
	return ""
}

// isChecked reports whether an output has a check of its own.
func (r *pipelineRun) isChecked(n *runNode, output string) bool {
	return slices.ContainsFunc(r.options.Checks, func(c DataCheck) bool { return c.isOf(n.Node, output) })
}

// transfer describes an output for a check.
func (o *outputData) transfer(node, output string) Transfer {
	return Transfer{
		Source: node, Output: output, Path: o.path,
		Files: o.files, Bytes: o.bytes, Formats: append([]string{}, o.formats...), Problems: []string{},
	}
}
