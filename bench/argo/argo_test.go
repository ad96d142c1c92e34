// Package argo has a module of its own, so that Argo Workflows is no dependency of scriptspec: its own linter, offline, takes
// what ExportArgo writes and refuses what is broken.
package argo

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/argoproj/argo-workflows/v4/cmd/argo/lint"
	"github.com/argoproj/argo-workflows/v4/pkg/apiclient"
	wfv1 "github.com/argoproj/argo-workflows/v4/pkg/apis/workflow/v1alpha1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/scriptspec/scriptspec"
	"github.com/scriptspec/scriptspec/internal/argo"
)

// linted is what `argo lint --offline --strict` says of a workflow, "" if it is well.
func linted(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "workflow.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	ctx, client, err := apiclient.NewClientFromOptsWithContext(context.Background(), apiclient.Opts{Offline: true, OfflineFiles: []string{file}})
	if err != nil {
		return err.Error()
	}
	formatter, err := lint.GetFormatter("simple")
	require.NoError(t, err)
	result, err := lint.Lint(ctx, &lint.LintOptions{
		Files: []string{file}, Strict: true, Formatter: formatter, DefaultNamespace: "default",
		ServiceClients: lint.ServiceClients{WorkflowsClient: client.NewWorkflowServiceClient(ctx)},
	})
	require.NoError(t, err)
	if result.Success {
		return ""
	}
	return strings.ReplaceAll(result.Msg(), file, "workflow.yaml")
}

func exported(t *testing.T, p *scriptspec.PipelineTestingSpec) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, scriptspec.ExportArgo(&b, p, &scriptspec.ArgoOptions{Image: "registry.example/ml:1", Claim: "shared-data", Namespace: "ml", ServiceAccount: "runner"}))
	return b.String()
}

// example runs examples/pipeline and returns the store that it has made.
func example(t *testing.T) (p *scriptspec.PipelineTestingSpec, dir string) {
	t.Helper()
	command := exec.Command("go", "run", "./examples/pipeline")
	command.Dir = filepath.Join("..", "..")
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	_, rest, found := strings.Cut(string(out), "Everything is in ")
	require.True(t, found, "%s", out)
	dir, _, _ = strings.Cut(rest, "\n")
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	st, err := scriptspec.OpenStore(dir, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = st.Close() })
	p, err = st.LoadPipeline("churn")
	require.NoError(t, err)
	return p, dir
}

func diamond() *scriptspec.PipelineTestingSpec {
	p := &scriptspec.PipelineTestingSpec{Name: "diamond", DAG: &scriptspec.DAG{
		Nodes: []string{"Load", "Left_x", "Right_x", "Join"}, Edges: [][2]string{{"Load", "Left_x"}, {"Load", "Right_x"}, {"Left_x", "Join"}, {"Right_x", "Join"}},
	}, Specs: map[string]scriptspec.Spec{}}
	for node, io := range map[string][2][]string{"Load": {nil, {"rows"}}, "Left_x": {{"rows"}, {"left"}}, "Right_x": {{"rows"}, {"right"}}, "Join": {{"left", "right"}, nil}} {
		s := scriptspec.New(scriptspec.ToSnakeCase(strings.TrimSuffix(node, "_x")), node, "s.py")
		for _, name := range io[0] {
			s.AddInputPath(name, "never/"+name)
		}
		for _, name := range io[1] {
			s.AddOutputPath(name, "never/"+node+"/"+name)
		}
		s.Timeout, s.Retries, s.MaxMemory = 90, 1, 1<<30
		p.Specs[node] = s
	}
	return p
}

// hostile are names that mean something to YAML, to shells, to Kubernetes or, but for {{, to Argo.
var hostile = []string{
	"", `"`, `\`, `'`, "a: b", "# no comment", "- item", "&a *a", "!!binary", "| >", "yes", "null", "~", "1e3", "%YAML", "@", "`id`", "a\nb: c", "a\r\n", "\t", "---", "...",
	"{}", "{", "}}", "{%x%}", "$(PATH)", "$$(PATH)", "; rm -rf /", "\x01\x7f\u0085\u2028\ufeff", "日本", "😀", "<<", "trailing ", "Train", "train", "TRAIN", strings.Repeat("Long", 60), "pipeline",
}

func hostileWorkflow(t *testing.T) string {
	t.Helper()
	w := &argo.Workflow{Name: hostile[1], Image: "i", Claim: "c", Mount: "/v"}
	for i, name := range hostile {
		task := argo.Task{Name: name, Command: append(argo.Args("scriptspec", "--node="+name), argo.Arg{Text: "--work=/v/" + name + "/", Variable: argo.WorkflowName})}
		if strings.HasSuffix(name, "{") {
			task.Command = task.Command[:2]
		}
		if i > 0 {
			task.After = []int{i - 1}
		}
		w.Tasks = append(w.Tasks, task)
	}
	var b bytes.Buffer
	require.NoError(t, w.Write(&b))
	return b.String()
}

func TestLintTakesWhatIsExported(t *testing.T) {
	churn, _ := example(t)
	for name, text := range map[string]string{
		"examples/pipeline": exported(t, churn), "a diamond": exported(t, diamond()), "hostile names": hostileWorkflow(t),
	} {
		message := linted(t, text)
		assert.Empty(t, message, name)
		t.Logf("%s: %d lines, %d tasks: %q", name, strings.Count(text, "\n"), strings.Count(text, "\n            template: "), message)
	}
}

// What is read as YAML, and then expanded as Kubernetes does it, is what was to be said.
func TestTextsStayTexts(t *testing.T) {
	var w wfv1.Workflow
	require.NoError(t, yaml.UnmarshalStrict([]byte(hostileWorkflow(t)), &w))
	require.Len(t, w.Spec.Templates, 1+len(hostile))
	for i, name := range hostile {
		args := w.Spec.Templates[i+1].Container.Args
		assert.Equal(t, "--node="+name, strings.ReplaceAll(args[0], "$$", "$"))
	}
}

func TestLintRefusesWhatIsBroken(t *testing.T) {
	good := exported(t, diamond())
	require.Empty(t, linted(t, good))
	for name, change := range map[string][2]string{
		"an unknown template":   {`            template: "join"`, `            template: "joint"`},
		"a missing dependency":  {"            dependencies:\n              - \"load\"\n          - name: \"right-x\"", "            dependencies:\n              - \"lost\"\n          - name: \"right-x\""},
		"a cycle":               {`            template: "load"`, "            template: \"load\"\n            dependencies:\n              - \"join\""},
		"a field there is not":  {"      activeDeadlineSeconds:", "      activeDeadline:"},
		"a name of two words":   {`          - name: "join"`, `          - name: "join all"`},
		"a variable not there":  {"{{workflow.name}}", "{{workflow.nomen}}"},
		"a policy there is not": {"retryPolicy: OnError", "retryPolicy: OnLoss"},
	} {
		broken := strings.Replace(good, change[0], change[1], 1)
		require.NotEqual(t, good, broken, name)
		message := linted(t, broken)
		assert.NotEmpty(t, message, name)
		t.Logf("%s: %s", name, strings.TrimSpace(message))
	}
}

// There is no cluster here: the commands of the pods are run as processes, each when those before it have succeeded,
// with this machine's disk for the volume.
func TestCommandsRun(t *testing.T) {
	p, dir := example(t)
	mount := t.TempDir()
	var b bytes.Buffer
	require.NoError(t, scriptspec.ExportArgo(&b, p, &scriptspec.ArgoOptions{Image: "none", Claim: "none", Mount: mount, Data: dir}))
	var w wfv1.Workflow
	require.NoError(t, yaml.UnmarshalStrict(b.Bytes(), &w))
	bin := t.TempDir()
	install := exec.Command("go", "install", "./cmd/scriptspec")
	install.Dir, install.Env = filepath.Join("..", ".."), append(os.Environ(), "GOBIN="+bin)
	out, err := install.CombinedOutput()
	require.NoError(t, err, "%s", out)

	done := map[string]chan struct{}{}
	tasks := w.Spec.Templates[0].DAG.Tasks
	for _, task := range tasks {
		done[task.Name] = make(chan struct{})
	}
	var all sync.WaitGroup
	for _, task := range tasks {
		all.Go(func() {
			defer close(done[task.Name])
			for _, before := range task.Dependencies {
				<-done[before]
			}
			pod := w.GetTemplateByName(task.Template).Container
			var args []string
			for _, arg := range pod.Args {
				args = append(args, strings.ReplaceAll(strings.ReplaceAll(arg, argo.WorkflowName, "churn-x7k2"), "$$", "$"))
			}
			command := exec.Command(filepath.Join(bin, pod.Command[0]), args...)
			command.Dir = filepath.Join("..", "..")
			out, err := command.CombinedOutput()
			assert.NoError(t, err, "%s: %s", task.Name, out)
			assert.Contains(t, string(out), "1 passed")
		})
	}
	all.Wait()
	entries, err := os.ReadDir(filepath.Join(mount, "work", "churn-x7k2"))
	require.NoError(t, err)
	var made []string
	for _, entry := range entries {
		made = append(made, entry.Name())
	}
	assert.Equal(t, []string{".scriptspec", "ModelCalibration", "ModelTraining", "TabularPreprocessing_training", "TabularPreprocessing_validation"}, made)
	t.Logf("%d commands of pods, run as processes: all passed", len(tasks))
}
