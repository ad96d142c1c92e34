package scriptspec

import (
	"embed"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
)

//go:embed templates/*.json
var builtIn embed.FS

const templateDir = "templates" // below the directory of the specs, and here

// LoadTemplate reads a template: the store's own, or else one of this package: basic, enhanced, sagemaker_processing,
// sagemaker_training or evaluation.
func (st *Store) LoadTemplate(name string) (*Template, error) {
	if !IsScriptName(name) {
		fe := fieldErrorf(rank{}, "name", CodeFormat, "the name of a template must be in snake_case format")
		fe.Value = name
		return nil, fe.hintf("it is %s", quote(name))
	}
	file := filepath.Join(st.specs, templateDir, name+".json")
	declare(file)
	data, err := st.readTemplate(file)
	if err == nil {
		return decodeTemplate(data, file, name)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if data, builtInErr := builtIn.ReadFile(path.Join(templateDir, name+".json")); builtInErr == nil {
		t, err := decodeTemplate(data, name+".json", name)
		if err == nil {
			t.BuiltIn = true
		}
		return t, err
	}
	names, _ := st.templateNames()
	return nil, &FieldError{
		Path: "name", Code: CodeMissing, Value: name, Message: "there is no template " + printable(name), Hint: meantOf(names, name), Err: err,
	}
}

// readTemplate reads a file of the store's directory of templates.
func (st *Store) readTemplate(file string) ([]byte, error) {
	dir, err := st.openTemplates()
	if err != nil {
		return nil, atPath("open", err, file)
	}
	defer dir.Close()
	data, _, err := dir.Read(filepath.Base(file), maxSpecFile, nil)
	return data, readError(err, file)
}

func (st *Store) openTemplates() (*atomicfile.Dir, error) {
	files, err := st.open(false)
	if err != nil {
		return nil, err
	}
	return files.Sub(templateDir)
}

// Templates returns all templates, those of the store in the place of ones of this package with the same name, sorted by
// name. A file that cannot be read is an error beside the rest.
func (st *Store) Templates() ([]*Template, error) {
	names, err := st.templateNames()
	if err != nil {
		return nil, err
	}
	var all []*Template
	var errs []error
	for _, name := range names {
		t, err := st.LoadTemplate(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, t)
	}
	return all, errors.Join(errs...)
}

func (st *Store) templateNames() ([]string, error) {
	var names []string
	add := func(entries []string) {
		for _, entry := range entries {
			if name, ok := strings.CutSuffix(entry, ".json"); ok && IsScriptName(name) {
				names = append(names, name)
			}
		}
	}
	entries, _ := builtIn.ReadDir(templateDir)
	for _, entry := range entries {
		add([]string{entry.Name()})
	}
	where := filepath.Join(st.specs, templateDir)
	dir, err := st.openTemplates()
	if err == nil {
		declare(where)
		own, namesErr := dir.Names()
		err = errors.Join(namesErr, dir.Close())
		add(own)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	slices.Sort(names)
	return slices.Compact(names), atPath("list", err, where)
}
