package scriptspec

import "strings"

// RunPipeline runs a pipeline as one test with a subtest for each node, in topological order. A node that
// fails shows what [RunStore] shows of a spec; what was handed to a node and does not fit fails that
// node; nodes that were blocked, skipped or reused are skipped subtests with the reason. The scripts have
// ended when the subtests begin, so that -run picks what is shown and not what is run. With -short nothing
// is run.
//
// A nil tester is the zero RuntimeTester, nil options are those of the pipeline. Without a work directory
// it is the TempDir of t.
func RunPipeline[T TestingT[T]](t T, tester *RuntimeTester, p *PipelineTestingSpec, o *PipelineOptions) {
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
	if options.WorkDir == "" {
		options.WorkDir = t.TempDir()
	}
	result, err := tester.TestPipeline(t.Context(), p, &options)
	if result == nil {
		t.Fatalf("%v", err)
	}
	misfits := map[string][]string{}
	for _, p := range result.dataProblems() {
		misfits[p.edge.Dest] = append(misfits[p.edge.Dest], p.subject()+": "+harmless(p.text))
	}
	for _, n := range result.Nodes {
		t.Run(n.Node, func(t T) {
			t.Helper()
			showNode(t, n, misfits[n.Node])
		})
	}
	if err != nil {
		t.Errorf("%v", err)
	}
}

// showNode tells a test what became of a node.
func showNode[T TestingT[T]](t T, n NodeResult, misfits []string) {
	t.Helper()
	if len(misfits) > 0 {
		t.Errorf("the data does not fit:\n%s", strings.Join(misfits, "\n"))
	}
	switch n.Status {
	case NodePassed:
		t.Logf("%v", n.Result)
	case NodeSkipped, NodeBlocked, NodeReused:
		t.Skipf("%s: %s", n.Status, printable(n.Reason))
	default:
		text := string(n.Status) + ": " + printable(n.Reason)
		if n.Result != nil && !n.Result.Success {
			text += "\n" + n.Result.Details()
		}
		t.Errorf("%s", text)
	}
}
