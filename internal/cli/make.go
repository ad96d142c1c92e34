package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec"
	"github.com/spf13/cobra"
)

func (a *app) newCommand() *cobra.Command {
	var params, extends []string
	var script, step string
	var list, dryRun, force bool
	cmd := &cobra.Command{
		Use: "new [TEMPLATE]", Short: "Create a spec from a template or a script", Args: takes(cobra.MaximumNArgs(1)),
		Example: "  scriptspec new --list\n  scriptspec new sagemaker_processing --param script_path=scripts/prep.py\n  scriptspec new --from-script scripts/prep.py",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			st, err := a.storeOrNone()
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			defer st.Close()
			var names []string
			all, _ := st.Templates()
			for _, t := range all {
				names = append(names, t.Name)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	create := a.inStore(func(cmd *cobra.Command, st *scriptspec.Store, args []string) error {
		var s scriptspec.Spec
		var err error
		switch {
		case step != "" && script == "":
			return usage("--step goes with --from-script; for a template, use --param step_name=NAME")
		case script != "" && len(params) > 0:
			return usage("--param is for templates and does not go with --from-script")
		case script != "" && len(args) == 0:
			s, err = a.fromScript(cmd, st, script, step)
		case script == "" && len(args) == 1:
			s, err = fromTemplate(st, args[0], params)
		default:
			return usage("name a template (see scriptspec new --list), or a script with --from-script")
		}
		if err != nil {
			return err
		}
		return a.keep(st, s, extends, dryRun, force)
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if list {
			return a.listTemplates()
		}
		return create(cmd, args)
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&params, "param", nil, "template parameter, as NAME=TEXT, NAME:=JSON or NAME=@FILE; may be repeated")
	flags.StringVar(&script, "from-script", "", "create the spec of this script from its source")
	flags.StringVar(&step, "step", "", "step name to use with --from-script")
	flags.StringSliceVar(&extends, "extends", nil, "bases that the spec extends")
	flags.BoolVar(&list, "list", false, "list the templates and their parameters instead of creating a spec")
	flags.BoolVar(&dryRun, "dry-run", false, "print the spec instead of saving it")
	flags.BoolVar(&force, "force", false, "replace an existing spec")
	return cmd
}

// storeOrNone is store, and where no directory has specs the store of one that is yet to be made.
func (a *app) storeOrNone() (*scriptspec.Store, error) {
	if dir := cmp.Or(a.dir, findStore(), os.Getenv("SCRIPTSPEC_DIR")); dir == "" {
		return a.open("testdata")
	}
	return a.store()
}

func (a *app) listTemplates() error {
	st, err := a.storeOrNone()
	if err != nil {
		return err
	}
	defer st.Close()
	all, err := st.Templates()
	for _, t := range all {
		fmt.Fprintf(a.out, "%s: %s\n", t.Name, harmless(t.Description))
		for _, name := range sortedNames(t.Parameters) {
			p := t.Parameters[name]
			text := "required"
			if p.Default != nil {
				value, _ := json.Marshal(p.Default)
				text = "default " + string(value)
			}
			fmt.Fprintf(a.out, "  %s (%s, %s) %s\n", name, p.Type, text, harmless(p.Description))
		}
	}
	return err
}

func fromTemplate(st *scriptspec.Store, name string, params []string) (scriptspec.Spec, error) {
	t, err := st.LoadTemplate(name)
	if err != nil {
		return nil, wrongCall(err)
	}
	values := map[string]any{}
	for _, param := range params {
		key, text, ok := strings.Cut(param, "=")
		if !ok {
			return nil, usage("--param %s: want NAME=TEXT, NAME:=JSON or NAME=@FILE", param)
		}
		if key, isJSON := strings.CutSuffix(key, ":"); isJSON {
			var args scriptspec.JobArgs
			if err := args.UnmarshalJSON([]byte(`{"v": ` + text + `}`)); err != nil {
				return nil, usage("--param %s: the value is not valid JSON", key)
			}
			values[key] = args["v"]
			continue
		}
		if file, isFile := strings.CutPrefix(text, "@"); isFile {
			data, err := os.ReadFile(file)
			if err != nil {
				return nil, usage("--param %s: %w", key, err)
			}
			text = string(data)
		}
		values[key] = text
	}
	s, err := t.New(values)
	return s, wrongCall(err)
}

// fromScript creates the spec of a script from its source.
func (a *app) fromScript(cmd *cobra.Command, st *scriptspec.Store, file, step string) (scriptspec.Spec, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, usage("--from-script: %w", err)
	}
	if step == "" {
		step = scriptspec.ToPascalCase(strings.TrimSuffix(filepath.Base(file), ".py"))
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	b := &scriptspec.SpecBuilder{Store: st, Scripts: map[string]string{step: abs}, Python: a.python}
	found, err := b.Inspect(cmd.Context(), abs)
	if err != nil {
		return nil, err
	}
	if found[0].Error != "" {
		return nil, &exit{exitNo, fmt.Errorf("%s: %s", file, found[0].Error)}
	}
	s, err := b.SpecFromNode(step)
	if err != nil {
		return nil, wrongCall(err)
	}
	s.SpecVersion = scriptspec.SpecVersion
	m := &maker{app: a, st: st}
	m.noteMissing(s, found[0])
	if found[0].IsProgram() && !slices.Contains(a.settings.CommandLine, s.ScriptName) {
		m.noteProgram(s.ScriptName, filepath.Join(a.opened, ".specs", settingsFile))
	}
	return s, nil
}

// keep saves a new spec, or prints it.
func (a *app) keep(st *scriptspec.Store, s scriptspec.Spec, extends []string, dryRun, force bool) error {
	switch s := s.(type) {
	case *scriptspec.ScriptExecutionSpec:
		s.Extends = append(s.Extends, extends...)
	case *scriptspec.EnhancedScriptExecutionSpec:
		s.Extends = append(s.Extends, extends...)
	}
	if _, err := st.Render(s); err != nil {
		if fe, ok := errors.AsType[*scriptspec.FieldError](err); ok && fe.Code == scriptspec.CodeUnknownBase && len(extends) > 0 {
			return usage("--extends: %w", err)
		}
		return err
	}
	if dryRun {
		return scriptspec.Encode(a.out, s)
	}
	b := s.Basic()
	path := st.StepPath(b.StepName, b.ScriptName)
	if path == "" {
		path = st.Path(b.ScriptName)
	}
	if _, err := os.Stat(path); err == nil && !force {
		return &exit{exitNo, fmt.Errorf("%s already exists; --force replaces it", relativeHere(path))}
	}
	save := st.SaveStep
	if path == st.Path(b.ScriptName) {
		save = st.Save
	}
	if err := save(s); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.out, relativeHere(path))
	return err
}

func (a *app) renderCommand() *cobra.Command {
	var write, check, ours, theirs bool
	c := &choice{}
	cmd := &cobra.Command{
		Use: "render [SPEC]...", Short: "Update specs from their bases",
		Long: `Show how specs would change if they were updated from their bases; --write saves the changes. Where both a spec and
a base have changed a value since the last update, the spec keeps its own, unless --theirs is given.`,
		RunE: a.inStore(func(cmd *cobra.Command, st *scriptspec.Store, words []string) error {
			if ours && theirs {
				return usage("--ours and --theirs exclude each other")
			}
			sel, err := c.selector(words)
			if err != nil {
				return err
			}
			stale := false
			var errs []error
			for r, err := range st.RenderAll(cmd.Context(), &scriptspec.RenderOptions{Select: sel, Write: write, Theirs: theirs}) {
				if isNone(err) {
					return c.none(a, err)
				}
				if err != nil {
					errs = append(errs, err)
				}
				stale = stale || len(r.Changes) > 0
				writeChanges(a.out, r.File, r.Changes, check)
			}
			if err := errors.Join(errs...); err != nil {
				return &exit{exitNo, err}
			}
			if stale && !write {
				return failed
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&write, "write", false, "save the changes")
	cmd.Flags().BoolVar(&check, "check", false, "print only the names of specs that are out of date; exit with 1 if there are any")
	cmd.Flags().BoolVar(&ours, "ours", false, "where both have changed a value, keep the spec's (the default)")
	cmd.Flags().BoolVar(&theirs, "theirs", false, "where both have changed a value, take the base's")
	return a.chooses(cmd, c)
}

// writeChanges writes how a file is to change, or only that it is.
func writeChanges(w io.Writer, file string, changes []scriptspec.Change, check bool) {
	if check && len(changes) > 0 {
		fmt.Fprintln(w, relativeHere(file))
		return
	}
	for _, change := range changes {
		fmt.Fprintf(w, "%s: %s\n", relativeHere(file), change)
	}
}

func (a *app) migrateCommand() *cobra.Command {
	var write, check bool
	var backup string
	cmd := &cobra.Command{
		Use: "migrate", Short: "Migrate files to the newest version of the format", Args: takes(cobra.NoArgs),
		RunE: a.inStore(func(cmd *cobra.Command, st *scriptspec.Store, _ []string) error {
			todo := false
			var errs []error
			for m, err := range st.MigrateAll(cmd.Context(), &scriptspec.MigrateOptions{Write: write, Backup: backup}) {
				if err != nil {
					errs = append(errs, err)
					continue
				}
				todo = todo || len(m.Changes) > 0
				writeChanges(a.out, m.File, m.Changes, check)
			}
			if err := errors.Join(errs...); err != nil {
				return &exit{exitNo, err}
			}
			if !todo && !a.quiet {
				fmt.Fprintln(a.err, "everything is up to date")
			}
			if todo && !write {
				return failed
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&write, "write", false, "save the migrated files")
	cmd.Flags().BoolVar(&check, "check", false, "print only the names of files that are out of date; exit with 1 if there are any")
	cmd.Flags().StringVar(&backup, "backup", "", "with --write, copy the old files to this directory")
	return cmd
}

var schemaKinds = []scriptspec.SchemaKind{
	scriptspec.SchemaSpec, scriptspec.SchemaStrictSpec, scriptspec.SchemaPipeline, scriptspec.SchemaBase, scriptspec.SchemaTemplate, scriptspec.SchemaResult,
	scriptspec.SchemaHistory,
}

func (a *app) schemaCommand() *cobra.Command {
	var kind, dir string
	cmd := &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of a kind of file", Args: takes(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if dir != "" {
				return writeSchemas(dir)
			}
			text := scriptspec.JSONSchema(scriptspec.SchemaKind(kind))
			if text == nil {
				var names []string
				for _, k := range schemaKinds {
					names = append(names, string(k))
				}
				slices.Sort(names)
				return usage("unknown schema %q; want %s", kind, strings.Join(names, ", "))
			}
			_, err := a.out.Write(text)
			return err
		},
	}
	cmd.Flags().StringVar(&kind, "kind", string(scriptspec.SchemaSpec), "kind of file: spec, spec.strict, pipeline, base, template, result or history")
	cmd.Flags().StringVar(&dir, "write", "", "write all schemas to this directory instead")
	return cmd
}

func writeSchemas(dir string) error {
	for _, kind := range schemaKinds {
		file, text := filepath.Join(dir, string(kind)+".schema.json"), scriptspec.JSONSchema(kind)
		if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, text) {
			continue
		}
		if err := replaceFile(file, text); err != nil {
			return err
		}
	}
	return nil
}
