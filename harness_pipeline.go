package scriptspec

import (
	"strings"
	"testing"

	"github.com/scriptspec/scriptspec/internal/amount"
	"github.com/scriptspec/scriptspec/internal/fsaccess"
	printline "github.com/scriptspec/scriptspec/internal/printable"
)

// RunPipeline runs a pipeline as one test with a subtest for each node, in topological order, and returns
// the result. A node that fails shows what [RunStore] shows of a spec; data that does not fit fails the
// node that it was handed to; nodes that were blocked, skipped or reused are skipped subtests with the
// reason. The scripts have ended when the subtests begin, so that -run picks what is shown and not what is
// run; -v shows what runs meanwhile. With -short, or an Only that is empty and not nil, nothing is run.
//
// A nil tester is the zero RuntimeTester, nil options are those of the pipeline. Without a work directory it is
// a temporary one, which is removed if all went well and else kept, for the commands that run scripts again.
func RunPipeline(t *testing.T, tester *RuntimeTester, p *PipelineTestingSpec, o *PipelineOptions) *PipelineTestResult {
	t.Helper()
	return runPipeline(t, tester, p, o)
}

func runPipeline[T testingT[T]](t T, tester *RuntimeTester, p *PipelineTestingSpec, o *PipelineOptions) *PipelineTestResult {
	t.Helper()
	if short() {
		t.Skipf("runs scripts: -short")
	}
	if tester == nil {
		tester = &RuntimeTester{}
	}
	var options PipelineOptions
	if o != nil {
		options = *o
	} else if p != nil {
		options = p.Options
	}
	if options.Only != nil && len(options.Only) == 0 {
		t.Skipf("Only names no node, so that nothing is run")
		return nil // a T of a test's own may go on
	}
	if verbose() {
		options.Progress = logged(t, options.Progress)
	}
	result, err := tester.TestPipeline(t.Context(), p, &options)
	if result == nil {
		t.Fatalf("%v", err)
		return nil // a T of a test's own may go on
	}
	switch {
	case options.WorkDir != "": // where the caller has it
	case result.Success:
		if err := fsaccess.RemoveTree(result.WorkDir); err != nil {
			t.Errorf("the work directory cannot be removed: %v", err)
		}
	default:
		t.Logf("what the scripts made is kept in %s", result.WorkDir)
	}
	misfits := map[string][]string{}
	for _, f := range result.report().Findings() {
		misfits[f.Dest] = append(misfits[f.Dest], f.Subject+": "+printline.Block(f.Text))
	}
	for _, n := range result.Nodes {
		t.Run(n.Node, func(t T) {
			t.Helper()
			next := ""
			if n.Result != nil && !n.Result.Success {
				next = p.nextOf(tester, n.Result)
			}
			showNode(t, n, misfits[n.Node], next)
		})
	}
	if err != nil {
		t.Errorf("%v", err)
	}
	return result
}

// logged returns a Progress that logs what happens while scripts run, besides what another one does.
func logged[T testingT[T]](t T, also func(PipelineEvent)) func(PipelineEvent) {
	return func(e PipelineEvent) {
		if also != nil {
			defer also(e)
		}
		switch r := e.Result; {
		case r == nil:
			t.Logf("%s: running", printable(e.Node))
		case r.Reason != "":
			t.Logf("%s: %s: %s", printable(e.Node), r.Status, printline.Log(printable(r.Reason)))
		default:
			t.Logf("%s: %s in %s", printable(e.Node), r.Status, amount.Time(r.Duration))
		}
	}
}

// showNode reports a node's result to a test, with what is to be done about it.
func showNode[T testingT[T]](t T, n NodeResult, misfits []string, next string) {
	t.Helper()
	if len(misfits) > 0 {
		t.Errorf("the data does not fit:\n%s", printline.Log(strings.Join(misfits, "\n")))
	}
	switch n.Status {
	case NodePassed:
		t.Logf("%v", n.Result)
	case NodeSkipped, NodeBlocked, NodeReused:
		t.Skipf("%s: %s", n.Status, printline.Log(printable(n.Reason)))
	default:
		text := string(n.Status) + ": " + printline.Log(printable(n.Reason))
		if n.Result != nil && !n.Result.Success {
			text += "\n" + withNext(n.Result.Details(), next)
		}
		t.Errorf("%s", text)
	}
}
