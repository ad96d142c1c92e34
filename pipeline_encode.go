package scriptspec

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

const pipelineFileSuffix = "_pipeline_testing_spec.json"

// checkPipelineName is checkScriptName for what becomes part of a pipeline's file name.
func checkPipelineName(name string) Code {
	if code := checkScriptName(name); code != "" && code != CodeTooLong {
		return code
	}
	if len(name)+len(pipelineFileSuffix) > 255 {
		return CodeTooLong
	}
	return ""
}

func pipelineNameError(name string) *FieldError {
	code := checkPipelineName(name)
	if code == "" {
		return nil
	}
	fe := &FieldError{Path: "name", Code: code, Value: name, Message: "name must be in snake_case format, as it becomes part of a file name"}
	switch code {
	case CodeRequired:
		fe.Message = "name is required: it becomes part of the file name"
	case CodeTooLong:
		fe.Message = "name is too long for a file name"
		fe.Hint = fmt.Sprintf("it has %d bytes and may have %d", len(name), 255-len(pipelineFileSuffix))
	default:
		if fixed := ToSnakeCase(name); checkPipelineName(fixed) == "" {
			fe.Hint = "try " + fixed
		}
	}
	return fe
}

// SavePipeline writes a pipeline to .specs/<name>_pipeline_testing_spec.json, as durably as
// [Store.Save] does; a file that says the same already is not touched. A node of Refs is written as
// the name of its script, whose spec is for Save or SaveStep to write, every other spec as a whole. A
// pipeline may be saved before it is finished, but not with a graph whose edges lead nowhere, nor
// with a spec that Encode refuses. The error is a [*ValidationError] with everything that is wrong.
func (st *Store) SavePipeline(p *PipelineTestingSpec) error {
	data, err := encodePipeline(p)
	if err != nil {
		return err
	}
	file := filepath.Join(st.specs, p.Name+pipelineFileSuffix)
	if len(data) > maxSpecFile {
		return tooLarge(file, maxSpecFile)
	}
	// What was written must be what will be read, whatever is in it.
	if _, err := decodePipeline(data, file); err != nil {
		return err
	}
	return st.write(file, data, func(old []byte) bool { return bytes.Equal(old, data) }, nil)
}

// LoadPipeline reads a pipeline, and for each node that refers to the spec of a script what
// [Store.LoadStep] would take, of either kind. Unlike a spec, a pipeline is read by no other program
// and decides what is run: members that are not known are refused, since what they were meant to say
// would be missed. Those of the specs in it are kept. The error is a [*DecodeError] for each problem
// of the file, [ErrMismatch] for one with another name in it, or a [*ValidationError] with every
// reference that cannot be followed; [fs.ErrNotExist] shows through.
func (st *Store) LoadPipeline(name string) (*PipelineTestingSpec, error) {
	if fe := pipelineNameError(name); fe != nil {
		return nil, fe
	}
	data, file, err := st.readNamed(name, pipelineFileSuffix)
	if err != nil {
		return nil, err
	}
	p, err := st.pipelineOf(data, file, name)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// refsOfPipeline reads a pipeline without the specs that it refers to, and returns the file of each node that has such a spec,
// whether it can be loaded or not.
func (st *Store) refsOfPipeline(name string) (*PipelineTestingSpec, map[string]string, error) {
	data, file, err := st.readNamed(name, pipelineFileSuffix)
	if err != nil {
		return nil, nil, err
	}
	p, err := decodePipelineNamed(data, file, name)
	if err != nil {
		return nil, nil, err
	}
	files := map[string]string{}
	for node, script := range p.Refs {
		_, specFile, _ := st.loadStep(node, script) // what keeps it from being loaded is said where it is
		if specFile == "" {
			_, err := st.pipelineOf(data, file, name) // there is none
			return nil, nil, err
		}
		files[node] = filepath.Base(specFile)
	}
	return p, files, nil
}

func decodePipelineNamed(data []byte, file, name string) (*PipelineTestingSpec, error) {
	p, err := decodePipeline(data, file)
	if err == nil && p.Name != name {
		return nil, fileError(file, fmt.Sprintf("holds the pipeline %q", printable(p.Name)), ErrMismatch)
	}
	return p, err
}

// pipelineOf reads the text of a pipeline's file and follows its references.
func (st *Store) pipelineOf(data []byte, file, name string) (*PipelineTestingSpec, error) {
	p, err := decodePipelineNamed(data, file, name)
	if err != nil {
		return nil, err
	}
	p.paths = st.paths()
	var errs []*FieldError
	for _, node := range sortedKeys(p.Refs) {
		script := p.Refs[node]
		s, _, err := st.loadStep(node, script)
		if err == nil {
			p.Specs[node] = s
			continue
		}
		fe := &FieldError{
			Path: keyed("specs", node), Code: CodeFormat, Value: script, Err: err, rank: rank{section: rankSpecs, key: node},
			Message: fmt.Sprintf("node %s refers to the spec of script %s, which cannot be loaded: %v", printable(node), printable(script), err),
		}
		if errors.Is(err, fs.ErrNotExist) {
			fe.Code = CodeNotExist
			fe.Message = fmt.Sprintf("node %s refers to the spec of script %s, which is not in the store: %s",
				printable(node), printable(script), printable(st.Path(script)))
			fe.Hint = "save it first, or put the spec itself in the place of its name"
			if near := st.nearest(script, specFileSuffix); near != "" {
				fe.Hint = "did you mean " + printable(near) + "?"
			}
		}
		errs = append(errs, fe)
	}
	return p, newPipelineError(name, errs)
}

// The members of a pipeline file and of its parts, in their order.
var (
	pipelineNames = []string{"$schema", "name", "dag", "specs", "skip", "wires", "options", "pipeline_version", "description", "tags", "labels", "engine"}
	pipelineNews  = slices.Index(pipelineNames, "pipeline_version") // the first of version 2, where null is as absent
	optionNames   = []string{"timeout", "parallelism", "fail_fast", "allow_semantic"}
	wireNames     = []string{"source", "output", "dest", "input"}
)

// encodePipeline returns the text of a pipeline's file.
func encodePipeline(p *PipelineTestingSpec) ([]byte, error) {
	if p == nil || p.DAG == nil {
		return nil, p.Validate()
	}
	var errs []*FieldError
	if fe := pipelineNameError(p.Name); fe != nil {
		errs = append(errs, fe)
	}
	for _, problem := range p.DAG.problems() {
		errs = append(errs, problem.fieldError())
	}
	errs = append(errs, p.refErrors()...)
	errs = append(errs, p.Options.problems(nil)...)
	errs = append(errs, p.metadataErrors()...)
	errs = append(errs, p.engineErrors()...)
	w := &pipelineWriter{errs: errs}
	w.Begin('{')
	if p.Schema != "" {
		w.member("$schema", true)
		w.text("$schema", p.Schema)
	}
	w.member("name", p.Schema == "")
	w.text("name", p.Name)
	w.member("dag", false)
	w.dag(p.DAG)
	w.member("specs", false)
	w.specs(p)
	w.member("skip", false)
	if err := w.StringMap(p.Skip); err != nil {
		w.fail("skip", err)
	}
	w.member("wires", false)
	w.wires(p.Wires)
	w.member("options", false)
	w.options(&p.Options)
	w.metadata(p)
	w.End('}', false)
	w.Buf = append(w.Buf, '\n')
	return w.Buf, newPipelineError(p.Name, w.errs)
}

// pipelineWriter writes the parts of a pipeline and gathers what cannot be written.
type pipelineWriter struct {
	strictjson.Writer
	errs []*FieldError
}

func (w *pipelineWriter) member(name string, first bool) {
	w.Item(first)
	w.Name(name)
}

func (w *pipelineWriter) fail(place string, err error) {
	w.errs = append(w.errs, &FieldError{Path: place, Code: CodeUnsupported, Message: err.Error(), rank: rank{section: rankOptions, key: place}})
}

func (w *pipelineWriter) text(place, s string) {
	if err := w.String(s); err != nil {
		w.fail(place, err)
	}
}

// metadata writes what is set of what a run does not need.
func (w *pipelineWriter) metadata(p *PipelineTestingSpec) {
	value := func(name string, set bool, v any) {
		if !set {
			return
		}
		w.member(name, false)
		if err := w.Value(v); err != nil {
			w.fail(name, err)
		}
	}
	value("pipeline_version", p.Version != 0, p.Version)
	value("description", p.Description != "", p.Description)
	value("tags", len(p.Tags) > 0, p.Tags)
	value("labels", len(p.Labels) > 0, p.Labels)
	value("engine", !p.Engine.isZero(), p.Engine.members())
	for _, name := range sortedKeys(p.Extra) {
		value(name, true, p.Extra[name])
	}
}

// dag writes each edge on a line of its own.
func (w *pipelineWriter) dag(d *DAG) {
	w.Begin('{')
	w.member("nodes", true)
	w.Begin('[')
	for i, node := range d.Nodes {
		w.Item(i == 0)
		w.text(fmt.Sprintf("dag.nodes[%d]", i), node)
	}
	w.End(']', len(d.Nodes) == 0)
	w.member("edges", false)
	w.Begin('[')
	for i, edge := range d.Edges {
		w.Item(i == 0)
		w.Buf = append(w.Buf, '[')
		w.text(fmt.Sprintf("dag.edges[%d][0]", i), edge[0])
		w.Buf = append(w.Buf, ',', ' ')
		w.text(fmt.Sprintf("dag.edges[%d][1]", i), edge[1])
		w.Buf = append(w.Buf, ']')
	}
	w.End(']', len(d.Edges) == 0)
	w.End('}', false)
}

func (w *pipelineWriter) specs(p *PipelineTestingSpec) {
	nodes := sortedKeys(p.Refs)
	for node, s := range p.Specs {
		if _, ref := p.Refs[node]; !ref && !isNil(s) {
			nodes = append(nodes, node)
		}
	}
	slices.Sort(nodes)
	w.Begin('{')
	for i, node := range nodes {
		w.Item(i == 0)
		place := keyed("specs", node)
		w.text(place, node)
		w.Buf = append(w.Buf, ':', ' ')
		if script, ref := p.Refs[node]; ref {
			w.text(place, script)
			continue
		}
		e, err := encodeAt(p.Specs[node], maxSpecFile, 2)
		if err != nil {
			w.errs = append(w.errs, &FieldError{
				Path: place, Code: CodeFormat, Value: node, Message: "the spec of " + printable(node) + " cannot be saved",
				Hint: firstProblem(err), Err: err, rank: rank{section: rankSpecs, key: node},
			})
			continue
		}
		w.Buf = append(w.Buf, e.w.Buf...)
		e.release()
	}
	w.End('}', len(nodes) == 0)
}

// firstProblem returns the first problem of an error, to be shown where that is wrapped.
func firstProblem(err error) string {
	if errs := fieldErrors(err); len(errs) > 0 {
		return errs[0].Error()
	}
	return err.Error()
}

func (w *pipelineWriter) wires(wires []Wire) {
	w.Begin('[')
	for i, wire := range wires {
		w.Item(i == 0)
		w.Begin('{')
		for j, text := range []string{wire.Source, wire.Output, wire.Dest, wire.Input} {
			w.member(wireNames[j], j == 0)
			w.text(fmt.Sprintf("wires[%d].%s", i, wireNames[j]), text)
		}
		w.End('}', false)
	}
	w.End(']', len(wires) == 0)
}

func (w *pipelineWriter) options(o *PipelineOptions) {
	w.Begin('{')
	for i, v := range []any{o.Timeout.Seconds(), o.Parallelism, o.FailFast, o.AllowSemantic} {
		w.member(optionNames[i], i == 0)
		if err := w.Value(v); err != nil {
			w.fail("options."+optionNames[i], err)
		}
	}
	w.End('}', false)
}
