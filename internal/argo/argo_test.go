package argo

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hostile are texts that mean something to YAML, to a shell or to Kubernetes.
var hostile = []string{
	"", "plain", `"`, `\`, `'`, "a: b", "# no comment", "- item", "&a *a", "!!binary", "| >", "yes", "null", "~", "1e3", "0x1", "%YAML", "@", "`id`", "a\nb: c", "a\r\n", "\t",
	"---", "...", "{}", "[]", "{", "}}", "$(PATH)", "$$(PATH)", "$x", "; rm -rf /", "\x01\x7f\u0085\u2028\ufeff", "日本", "😀", "<<", "=", "trailing ", ":", "?",
}

var rfc1123 = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$`)

func TestNames(t *testing.T) {
	t.Parallel()
	w := &Workflow{}
	for _, name := range append([]string{
		"Load", "TabularPreprocessing_training", "XGBoostModel", "AB", "A_b", "A-b", "a b", "pipeline", "Pipeline", "Pipeline-2", "1e3", strings.Repeat("Long", 40), strings.Repeat("Long", 41),
	}, hostile...) {
		w.Tasks = append(w.Tasks, Task{Name: name})
	}
	names := w.names()
	assert.Equal(t, []string{
		"load", "tabular-preprocessing-training", "xgboost-model", "ab", "a-b", "a-b-2", "a-b-3", "pipeline-2", "pipeline-3", "pipeline-2-2", "node-1e3",
	}, names[:11])
	seen := map[string]bool{}
	for i, name := range names {
		assert.Regexp(t, rfc1123, name, "%q", w.Tasks[i].Name)
		assert.False(t, seen[name], name)
		seen[name] = true
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	w := &Workflow{
		Name: "churn_model", Namespace: "ml", ServiceAccount: "runner", Image: "registry/ml:1", Claim: "data", Mount: "/mnt/data", FailFast: true, Parallelism: 4,
		Tasks: []Task{
			{Name: "Load", Command: Args("scriptspec", "node", "--node=Load")},
			{Name: "Train_x", After: []int{0}, Command: []Arg{{Text: "true"}, {Text: "$(HOME)/", Variable: WorkflowName}}, Deadline: 1500 * time.Millisecond, Memory: 1<<20 + 1},
		},
	}
	var b bytes.Buffer
	require.NoError(t, w.Write(&b))
	assert.Equal(t, `apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: "churn-model-"
  namespace: "ml"
spec:
  entrypoint: pipeline
  serviceAccountName: "runner"
  parallelism: 4
  volumes:
    - name: shared
      persistentVolumeClaim:
        claimName: "data"
  templates:
    - name: pipeline
      dag:
        failFast: true
        tasks:
          - name: "load"
            template: "load"
          - name: "train-x"
            template: "train-x"
            dependencies:
              - "load"
    - name: "load"
      retryStrategy:
        limit: "1"
        retryPolicy: OnError
      container:
        image: "registry/ml:1"
        command:
          - "scriptspec"
        args:
          - "node"
          - "--node=Load"
        volumeMounts:
          - name: shared
            mountPath: "/mnt/data"
    - name: "train-x"
      activeDeadlineSeconds: 2
      retryStrategy:
        limit: "1"
        retryPolicy: OnError
      container:
        image: "registry/ml:1"
        command:
          - "true"
        args:
          - "$$(HOME)/{{workflow.name}}"
        resources:
          requests:
            memory: "2Mi"
          limits:
            memory: "2Mi"
        volumeMounts:
          - name: shared
            mountPath: "/mnt/data"
`, b.String())
}

// What Argo would substitute, or no pod can be given, is refused wherever it is.
func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"{{workflow.name}}", "a{{", "{{=1}}", "\xff", "a\x00"} {
		for place, w := range map[string]*Workflow{
			"namespace": {Namespace: text}, "serviceAccountName": {ServiceAccount: text}, "claimName": {Claim: text},
			"image": {Image: text, Tasks: []Task{{}}}, "mountPath": {Mount: text, Tasks: []Task{{}}}, "command": {Tasks: []Task{{Command: Args("x", text)}}},
		} {
			var b bytes.Buffer
			te, ok := errors.AsType[*TextError](w.Write(&b))
			if assert.True(t, ok, "%s %q", place, text) {
				assert.Equal(t, place, te.Place)
				assert.Equal(t, text, te.Text)
			}
			assert.Empty(t, b.String())
		}
	}
	w := &Workflow{Tasks: []Task{{Command: []Arg{{Text: "{", Variable: WorkflowName}}}}}
	assert.Error(t, w.Write(&bytes.Buffer{}), "three braces are two and one")
}
