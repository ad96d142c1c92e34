package scriptspec

import (
	"fmt"
	"slices"
	"strings"
)

// next says what is to be done about a failure that has its cause in how the test was called, "" for others: the store knows
// what pipelines feed, and which scripts are programs.
func (st *Store) next(t *RuntimeTester, r *ScriptTestResult) string {
	switch r.Outcome {
	case OutcomePassed, OutcomeScriptMissing, OutcomeOutputUnusable:
		return ""
	case OutcomeInputMissing:
		return st.nextInput(r)
	}
	settings, err := st.Settings()
	if err != nil || !slices.Contains(settings.CommandLine, r.ScriptName) || slices.Contains(t.CommandLine, r.ScriptName) {
		return ""
	}
	return fmt.Sprintf("%s%s lists %s as a program: run it with the tester that Store.Tester returns", settingsName, settingsSuffix, r.ScriptName)
}

// nextInput says which pipeline makes an input that is not there.
func (st *Store) nextInput(r *ScriptTestResult) string {
	names, _ := st.Pipelines() // what cannot be read feeds nothing
	for _, name := range names {
		p, err := st.LoadPipeline(name)
		if err != nil {
			continue
		}
		plan, _ := p.Plan(nil)
		if plan == nil {
			continue
		}
		for _, n := range plan.Nodes {
			s := p.Specs[n.Node]
			if isNil(s) || *s.common().scriptName != r.ScriptName || *s.common().stepName != r.StepName {
				continue
			}
			for _, in := range n.Inputs {
				if strings.HasPrefix(r.ErrorMessage, "Input path '"+in.DestLogicalName+"' ") {
					return printable(fmt.Sprintf("in the pipeline %s, %s.%s feeds this input: test it with RunPipeline, and leave the specs of pipelines "+
						"out here with HarnessOptions.WithoutPipelines", name, in.Source, in.SourceLogicalName))
				}
			}
		}
	}
	return ""
}

// nextOf is next for a script of a pipeline, whose store may be known.
func (p *PipelineTestingSpec) nextOf(t *RuntimeTester, r *ScriptTestResult) string {
	if p.paths.dir == "" || r.Outcome == OutcomeInputMissing {
		return ""
	}
	st, err := OpenStore(p.paths.dir, nil)
	if err != nil {
		return ""
	}
	defer func() { _ = st.Close() }() // nothing was written
	return st.next(t, r)
}

// withNext adds what is to be done to what a failed test shows.
func withNext(text, next string) string {
	if next == "" {
		return text
	}
	return text + "\n-- next\n" + next
}
