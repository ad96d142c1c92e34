package scriptspec_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// Lint mends what has one right answer, in the text that is there, and nothing that has two.
func TestLintFix(t *testing.T) {
	t.Parallel()
	const head = "{\n  \"script_name\": \"a\",\n  \"step_name\": \"A\",\n  \"script_path\": \"a.py\""
	for name, test := range map[string]struct {
		more, want string // the rest of the text, before and after; "" is as before
		findings   []string
	}{
		"misspelt": {
			",\n  \"tagz\" : [ \"x\" ],\n  \"Job-Args\": {\"n\": 1.0}\n}", ",\n  \"tags\" : [ \"x\" ],\n  \"job_args\": {\"n\": 1.0}\n}",
			[]string{"6:15: warning: Job-Args: unknown member (renamed to job_args) (fixed)", "warning: tagz: unknown member (renamed to tags) (fixed)"},
		},
		"taken":                  {",\n  \"tagz\": [\"x\"], \"tags\": []\n}", "", []string{"tagz: unknown member (did you mean tags?) [unknown_member]"}},
		"twice misspelt":         {",\n  \"tagz\": [\"x\"], \"tagss\": [\"y\"]\n}", "", []string{"tagss: unknown member (did you mean tags?)", "tagz: unknown member (did you mean tags?)"}},
		"of two meanings":        {",\n  \"xput_paths\": {}\n}", "", []string{"xput_paths: unknown member"}},
		"of another type":        {",\n  \"tagz\": 1\n}", "", []string{"tagz: unknown member (did you mean tags?) [unknown_member]"}},
		"a person's own":         {",\n  \"x-tagz\": 1\n}", "", nil},
		"twice in a list":        {",\n  \"tags\": [\"x\", \"y\",\n \"x\", \"x\"]\n}", ",\n  \"tags\": [\"x\", \"y\"]\n}", []string{"6:2: error: tags[2]: is in the list twice (removed) (fixed) [duplicate]", "tags[3]: is in the list twice (removed) (fixed)"}},
		"in upper case":          {",\n  \"tags\": [\"x\", \"GPU\"]\n}", ",\n  \"tags\": [\"x\", \"gpu\"]\n}", []string{"5:17: error: tags[1]: must begin with a lower-case letter or digit, and have only these, '_', '.' and '-' (now gpu) (fixed)"}},
		"in both cases":          {",\n  \"tags\": [\"gpu\", \"GPU\"]\n}", ",\n  \"tags\": [\"gpu\"]\n}", []string{"tags[1]: must begin", "5:19: error: tags[1]: is in the list twice (removed) (fixed)"}},
		"in both and twice":      {",\n  \"tags\": [\"Nightly\", \"nightly\", \"x\", \"x\"]\n}", ",\n  \"tags\": [\"nightly\", \"x\"]\n}", []string{"tags[0]: must begin", "5:23: error: tags[1]: is in the list twice (removed) (fixed)", "5:39: error: tags[3]: is in the list twice (removed) (fixed)"}},
		"no tag in lower case":   {",\n  \"tags\": [\"A!\", \"GPU\", \"x\", \"x\"]\n}", ",\n  \"tags\": [\"A!\", \"gpu\", \"x\"]\n}", []string{"5:12: error: tags[0]: must begin", "tags[1]: must begin", "tags[3]: is in the list twice (removed) (fixed)"}},
		"broken as well":         {",\n  \"timeout\": \"x\", \"tags\": [\"GPU\", \"x\", \"x\"], \"budget\": 1\n}", ",\n  \"timeout\": \"x\", \"tags\": [\"gpu\", \"x\"], \"budget\": 1\n}", []string{"5:14: error: timeout: want", "5:28: error: tags[0]: must begin with a lower-case letter or digit, and have only these, '_', '.' and '-' (now gpu) (fixed)", "tags[2]: is in the list twice (removed) (fixed)", "5:51: error: budget: want"}},
		"broken in another way":  {",\n  \"timeout\": \"x\", \"tags\": [\"GPU\", \"gpu\"]\n}", ",\n  \"timeout\": \"x\", \"tags\": [\"gpu\"]\n}", []string{"tags[0]: must begin", "tags[1]: is in the list twice (removed) (fixed)", "timeout: want"}},
		"cut off":                {",\n  \"tags\": [\"GPU\"],", "", []string{"tags[0]: must begin", "the document ends too early"}},
		"a problem that is kept": {",\n  \"tagz\": [\"X\"]\n}", "", []string{"tagz: unknown member (did you mean tags?)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			st := openStore(t, filepath.Join(dir, "testdata"), &scriptspec.StoreOptions{Base: dir})
			write(t, filepath.Join(dir, "a.py"), "")
			write(t, st.Path("a"), head+test.more)
			r, err := st.Lint(t.Context(), &scriptspec.LintOptions{Fix: true})
			require.NoError(t, err)
			text := linted(t, r, func(r *scriptspec.LintResult, b *bytes.Buffer) error { return r.WriteText(b) })
			for _, want := range test.findings {
				assert.Contains(t, text, want)
			}
			assert.Len(t, r.Findings, len(test.findings), text)
			got, err := os.ReadFile(st.Path("a"))
			require.NoError(t, err)
			if test.want == "" {
				test.want = test.more
			}
			assert.Equal(t, head+test.want, string(got))
			r, err = st.Lint(t.Context(), &scriptspec.LintOptions{Fix: true})
			require.NoError(t, err)
			for _, f := range r.Findings {
				assert.False(t, f.Fixed, "once is enough")
			}
		})
	}
}

// A script that has moved is found where one file has its name.
func TestLintFixMovedScript(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files []string
		dirs  []string
		path  string // in the spec
		want  string
	}{
		"one":             {[]string{"deep/er/a.py"}, nil, "old/a.py", "deep/er/a.py"},
		"two":             {[]string{"b/a.py", "c/a.py"}, nil, "a.py", "a.py"},
		"of two, in one":  {[]string{"b/a.py", "c/a.py"}, []string{"c", "c", "none"}, "a.py", "c/a.py"},
		"not looked into": {[]string{".git/a.py", "venv/pyvenv.cfg", "venv/a.py", "node_modules/a.py"}, nil, "a.py", "a.py"},
		"of another name": {[]string{"b/aa.py"}, nil, "a.py", "a.py"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			st := openStore(t, filepath.Join(dir, "testdata"), &scriptspec.StoreOptions{Base: dir})
			for _, file := range test.files {
				write(t, filepath.Join(dir, file), "")
			}
			write(t, st.Path("a"), `{"script_name": "a",  "step_name": "A", "script_path": "`+test.path+`"}`)
			r, err := st.Lint(t.Context(), &scriptspec.LintOptions{Fix: true, ScriptDirs: test.dirs})
			require.NoError(t, err)
			got, err := os.ReadFile(st.Path("a"))
			require.NoError(t, err)
			assert.Equal(t, `{"script_name": "a",  "step_name": "A", "script_path": "`+test.want+`"}`, string(got))
			require.Len(t, r.Findings, 1)
			assert.Equal(t, scriptspec.CodeNotExist, r.Findings[0].Code)
			assert.Equal(t, test.want != test.path, r.Findings[0].Fixed)
			assert.Equal(t, test.want != test.path, r.Success())
		})
	}
}

// The search for scripts ends where it has looked at enough, and then knows of none: one that it has not seen may have the same name.
func TestLintFixSearchesNotFar(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, file := range []string{"a/a.py", "a/b.py", "b/c.py", "b/d/a.py"} {
		write(t, filepath.Join(dir, file), "")
	}
	all := map[string][]string{
		"a.py": {filepath.Join(dir, "a/a.py"), filepath.Join(dir, "b/d/a.py")}, "b.py": {filepath.Join(dir, "a/b.py")}, "c.py": {filepath.Join(dir, "b/c.py")},
	}
	const entries = 8 // with the directories
	for most := range entries + 2 {
		files, looked := scriptspec.PythonFilesBelow([]string{dir}, most)
		assert.Equal(t, min(most, entries), looked)
		if most < entries {
			assert.Empty(t, files, "%d of %d", most, entries)
		} else {
			assert.Equal(t, all, files)
		}
	}
	_, looked := scriptspec.PythonFilesBelow([]string{dir, dir}, entries+1)
	assert.Equal(t, entries+1, looked, "of all directories together")
}

// Each rule is in the list once, sorted, and every code is a rule or belongs to something else than lint.
func TestLintRules(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("errors.go")
	require.NoError(t, err)
	notLint := map[string]bool{"missing": true, "type": true, "unsupported": true, "bad_selector": true, "no_result": true, "not_empty": true}
	last := ""
	for _, rule := range scriptspec.LintRules() {
		assert.Less(t, last, string(rule.Code))
		last = string(rule.Code)
		assert.NotEmpty(t, rule.Summary)
		assert.NotEmpty(t, rule.Severity)
		notLint[last] = true
	}
	for line := range strings.Lines(string(source)) {
		if fields := strings.Fields(line); len(fields) > 4 && fields[1] == "Code" && fields[2] == "=" {
			code := strings.Trim(fields[3], `"`)
			assert.True(t, notLint[code], "%s is not in lintRules", code)
		}
	}
}

// asked is a context that says when someone first waits for its end.
type asked struct {
	context.Context
	once  *sync.Once
	first chan struct{}
}

func (c asked) Done() <-chan struct{} {
	c.once.Do(func() { close(c.first) })
	return c.Context.Done()
}

// A file that someone changes while it is linted stays as they leave it.
func TestLintFixOfWhatChangesMeanwhile(t *testing.T) {
	t.Parallel()
	const before, after = `{"script_name": "a", "step_name": "A", "script_path": "a.py", "tagz": ["x"]}`, `{"script_name": "a", "step_name": "A", "script_path": "a.py", "tagz": ["y"]}`
	for name, change := range map[string]func(t *testing.T, file string){
		"edited": func(t *testing.T, file string) { write(t, file, after) },
		"a link now": func(t *testing.T, file string) {
			require.NoError(t, os.Remove(file))
			write(t, file+".real", before)
			require.NoError(t, os.Symlink(file+".real", file))
		},
		"gone": func(t *testing.T, file string) { require.NoError(t, os.Remove(file)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			st := openStore(t, filepath.Join(dir, "testdata"), &scriptspec.StoreOptions{Base: dir})
			write(t, filepath.Join(dir, "a.py"), "")
			write(t, st.Path("a"), before)
			write(t, st.Path("b"), `{"script_name": "b", "step_name": "B", "script_path": "a.py"}`)
			ctx := asked{t.Context(), new(sync.Once), make(chan struct{})}
			var r *scriptspec.LintResult
			var left []byte
			var linting sync.WaitGroup
			err := st.Update(t.Context(), "b", func(*scriptspec.ScriptExecutionSpec) error { // which has the lock
				linting.Go(func() {
					var err error
					r, err = st.Lint(ctx, &scriptspec.LintOptions{Fix: true})
					assert.NoError(t, err)
				})
				<-ctx.first
				change(t, st.Path("a"))
				left, _ = os.ReadFile(st.Path("a")) // it may be gone
				return nil
			})
			linting.Wait()
			require.NoError(t, err)
			text := linted(t, r, func(r *scriptspec.LintResult, b *bytes.Buffer) error { return r.WriteText(b) })
			assert.False(t, r.Success(), text)
			assert.NotContains(t, text, "(fixed)")
			assert.Contains(t, text, "tagz: unknown member (did you mean tags?)")
			now, _ := os.ReadFile(st.Path("a"))
			assert.Equal(t, string(left), string(now))
			if info, err := os.Lstat(st.Path("a")); name == "a link now" && assert.NoError(t, err) {
				assert.Equal(t, os.ModeSymlink, info.Mode().Type())
			}
		})
	}
}
