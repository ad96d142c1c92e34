package scriptspec_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// exported is a pipeline of five nodes, one of which is skipped, with bounds and a secret.
func exported() *scriptspec.PipelineTestingSpec {
	p := &scriptspec.PipelineTestingSpec{
		Name: "churn_model", DAG: &scriptspec.DAG{
			Nodes: []string{"Load", "Left_training", "Upload", "Right", "Join"},
			Edges: [][2]string{{"Load", "Left_training"}, {"Load", "Upload"}, {"Upload", "Right"}, {"Left_training", "Join"}, {"Right", "Join"}, {"Load", "Join"}},
		},
		Specs: map[string]scriptspec.Spec{}, Skip: map[string]string{"Upload": "has no script"},
		Wires: []scriptspec.Wire{{Source: "Load", Dest: "Join"}},
	}
	for node, script := range map[string]string{"Load": "load", "Left_training": "left", "Right": "right", "Join": "join"} {
		p.Specs[node] = scriptspec.New(script, node, "scripts/"+script+".py")
	}
	of := func(node string) *scriptspec.ScriptExecutionSpec {
		return p.Specs[node].(*scriptspec.ScriptExecutionSpec)
	}
	of("Load").AddOutputPath("rows", "never/rows")
	of("Load").AddEnvironVar("TOKEN", sentinel)
	of("Load").AddJobArg("api_key", sentinel)
	of("Left_training").AddInputPath("rows", "never/rows")
	of("Left_training").AddOutputPath("left", "never/left")
	of("Right").AddOutputPath("right", "never/right")
	of("Join").AddInputPath("left", "never/left")
	of("Join").AddInputPath("right", "never/right")
	of("Left_training").Timeout, of("Left_training").Retries, of("Left_training").MaxMemory = 90, 2, 1<<30
	return p
}

func TestExportArgo(t *testing.T) {
	t.Parallel()
	options := &scriptspec.ArgoOptions{Image: "registry.example/ml:1", Claim: "shared-data", Namespace: "ml", ServiceAccount: "runner", Timeout: time.Minute}
	export := func(p *scriptspec.PipelineTestingSpec, o *scriptspec.ArgoOptions) string {
		var b bytes.Buffer
		require.NoError(t, scriptspec.ExportArgo(&b, p, o))
		return b.String()
	}
	first := export(exported(), options)
	golden(t, "argo/churn_model.yaml", first)
	for range 25 { // whatever order maps have
		require.Equal(t, first, export(exported(), options))
	}
	assert.NotContains(t, first, sentinel)

	p := exported()
	p.Options = scriptspec.PipelineOptions{Timeout: 1500 * time.Millisecond, Parallelism: 2, FailFast: true}
	golden(t, "argo/options.yaml", export(p, &scriptspec.ArgoOptions{Image: "ml", Claim: "c", Mount: "/v", Data: "/app/test data/$(HOME)", Work: "/v/runs/"}))
}

// What pods cannot be given is refused, all of it at once.
func TestExportArgoRefuses(t *testing.T) {
	t.Parallel()
	export := func(p *scriptspec.PipelineTestingSpec, o *scriptspec.ArgoOptions) []problem {
		var b bytes.Buffer
		err := scriptspec.ExportArgo(&b, p, o)
		assert.Empty(t, b.String())
		return problems(t, err)
	}
	paths := func(list []problem) (all []string) {
		for _, one := range list {
			all = append(all, one.path)
		}
		return all
	}
	assert.Equal(t, []string{"argo.claim", "argo.image"}, paths(export(exported(), nil)))
	assert.Equal(t, []string{"argo.claim", "argo.data", "argo.image", "argo.mount", "argo.mount", "argo.namespace", "argo.service_account", "argo.timeout", "argo.work"},
		paths(export(exported(), &scriptspec.ArgoOptions{
			Image: "a b", Claim: "Data", Namespace: "-x", ServiceAccount: "a..b", Mount: "v:x", Data: "/{{workflow.uid}}", Work: "/elsewhere", Timeout: -1,
		})))
	good := &scriptspec.ArgoOptions{Image: "i", Claim: "c"}
	assert.Equal(t, []string{"argo.image"}, paths(export(exported(), &scriptspec.ArgoOptions{Image: "{{x}}", Claim: "c"})))
	assert.Equal(t, []string{"argo.work"}, paths(export(exported(), &scriptspec.ArgoOptions{Image: "i", Claim: "c", Work: "/mnt/scriptspec/../elsewhere"})))
	unnamed := exported()
	unnamed.Name = "Churn"
	assert.Equal(t, []string{"name"}, paths(export(unnamed, good)))
	cyclic := exported()
	cyclic.DAG.Edges = append(cyclic.DAG.Edges, [2]string{"Join", "Load"})
	assert.Equal(t, []string{"dag"}, paths(export(cyclic, good)))
	unmatched := exported()
	unmatched.Wires = nil
	assert.Equal(t, scriptspec.CodeNoMatch, export(unmatched, good)[0].code)
	idle := exported()
	for _, node := range idle.DAG.Nodes {
		idle.Skip[node] = "all are"
	}
	assert.Equal(t, []string{"skip"}, paths(export(idle, good)))
	assert.Equal(t, []string{"dag"}, paths(export(nil, good)))
}
