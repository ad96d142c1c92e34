package scriptspec

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// decodePipeline reads a pipeline's file, without following references.
func decodePipeline(data []byte, file string) (*PipelineTestingSpec, error) {
	r := new(strictjson.Reader)
	d := pipelineDecoder{
		decoder: decoder{r: r, strict: true}, dag: dagDecoder{r: r, strict: true},
		p: &PipelineTestingSpec{Specs: map[string]Spec{}},
	}
	r.Reset(data)
	d.wholeFile()
	r.End()
	if !r.Broken() {
		d.dag.locate("dag.")
	}
	if err := problemsError(data, file, r.Problems(), pipelinePlace); err != nil {
		if version := versionOf(data, "pipeline_version"); version > SpecVersion {
			fe := fieldErrorf(rank{}, "pipeline_version", CodeNewerVersion, "pipeline_version is %s, and this version of scriptspec knows up to %s",
				strconv.FormatInt(version, 10), strconv.Itoa(SpecVersion))
			return nil, located(fe.hintf("use a newer one"), data, file) // what it has may be right in that version
		}
		return nil, err
	}
	d.p.DAG = &d.dag.dag
	return d.p, nil
}

// pipelinePlace writes a path in a pipeline file: specs["Train"].input_paths["data"].
func pipelinePlace(steps []strictjson.Step) string {
	if len(steps) < 2 || steps[0].Name == nil {
		return placeText(steps)
	}
	place, rest := printable(*steps[0].Name), steps[1:]
	switch place {
	case "specs", "wires":
		if place += stepsText(rest[:1]); len(rest) > 1 {
			place += "." + placeText(rest[1:])
		}
	case "dag", "options":
		place += "." + placeText(rest)
	default:
		place += stepsText(rest)
	}
	return place
}

// pipelineDecoder fills a pipeline from the text, noting every problem on the way.
type pipelineDecoder struct {
	decoder
	dag dagDecoder
	p   *PipelineTestingSpec
}

// object reads an object with these members and no others, each at most once, but for those that begin with x-, which
// are kept in extra if that is not nil.
func (d *pipelineDecoder) object(names []string, extra *map[string]json.RawMessage, member func(i int)) (start int64, seen []bool) {
	start, seen = d.r.Here(), make([]bool, len(names))
	if !d.r.Object() {
		return start, nil
	}
	for name, ok := d.r.Name(); ok; name, ok = d.r.Name() {
		key := d.r.Text(name)
		i := slices.Index(names, key)
		if i < 0 && extra != nil && strings.HasPrefix(key, "x-") {
			if _, twice := (*extra)[key]; twice {
				d.r.Duplicate()
			}
			if raw, ok := d.r.Raw(); ok {
				setEntry(extra, key, raw)
			}
			continue
		}
		if i < 0 {
			d.unknown(key, names, true)
			continue
		}
		if seen[i] {
			d.r.Duplicate()
		}
		seen[i] = true
		member(i)
	}
	if d.r.Broken() {
		return start, nil
	}
	return start, seen
}

func (d *pipelineDecoder) wholeFile() {
	start, seen := d.object(pipelineNames, &d.p.Extra, func(i int) {
		if (i >= pipelineNews || pipelineNames[i] == "$schema") && d.r.Kind() == 'n' {
			d.r.Skip() // as in a spec
			return
		}
		switch pipelineNames[i] {
		case "$schema":
			d.p.Schema = d.text()
		case "name":
			d.p.Name = d.text()
		case "dag":
			start := d.r.Here()
			if d.dag.wholeFile(false); !d.dag.seen["nodes"] && !d.r.Broken() {
				d.r.RefuseMember(start, "nodes", string(CodeRequired), "missing; a graph needs it")
			}
		case "specs":
			d.specs()
		case "skip":
			d.p.Skip = noneAsNil(readMap(&d.decoder, &plainRules, (*decoder).text))
		case "wires":
			d.wires()
		case "options":
			d.options()
		case "engine":
			d.engine()
		case "pipeline_version":
			version := member{least: 1}
			integerCodec[int]().read(&d.decoder, &version, reflect.ValueOf(&d.p.Version).Elem())
		case "description":
			d.p.Description = d.text()
		case "tags":
			d.p.Tags = d.list(&fields[fieldTags])
		case "labels":
			labels := &fields[fieldLabels]
			d.p.Labels = readMap(&d.decoder, labels.keyRules(), func(d *decoder) string { return d.textOf(labels.textRules()) })
		}
	})
	for i, name := range pipelineNames[:3] {
		if name != "$schema" && seen != nil && !seen[i] {
			d.r.RefuseMember(start, name, string(CodeRequired), "missing; a pipeline needs it")
		}
	}
}

func noneAsNil[V any](m map[string]V) map[string]V {
	if len(m) == 0 {
		return nil
	}
	return m
}

// specs reads for each node the name of a script or a spec.
func (d *pipelineDecoder) specs() {
	if !d.r.Object() {
		return
	}
	for name, ok := d.r.Name(); ok; name, ok = d.r.Name() {
		node := d.r.Text(name)
		_, ref := d.p.Refs[node]
		if _, inline := d.p.Specs[node]; ref || inline {
			d.r.Duplicate()
		}
		switch d.r.Kind() {
		case '"':
			script := d.text()
			if checkScriptName(script) != "" {
				d.r.Refuse(string(CodeFormat), "is not a valid script name; want snake_case")
			}
			setEntry(&d.p.Refs, node, script)
		case '{':
			inner := decoder{r: d.r}
			d.p.Specs[node] = inner.spec()
		default:
			d.r.Skip()
			d.r.Refuse("", "want the name of a script whose spec is in the store, or a spec")
		}
	}
}

func (d *pipelineDecoder) wires() {
	if !d.r.Array() {
		return
	}
	for d.r.More() {
		var wire Wire
		parts := []*string{&wire.Source, &wire.Output, &wire.Dest, &wire.Input}
		start, seen := d.object(wireNames, nil, func(i int) { *parts[i] = d.text() })
		if slices.Contains(seen, false) {
			d.r.RefuseAt(start, string(CodeRequired), "a wire needs the members "+strings.Join(wireNames, ", "))
		}
		d.p.Wires = append(d.p.Wires, wire)
	}
}

func (d *pipelineDecoder) options() {
	o := &d.p.Options
	d.object(optionNames, nil, func(i int) {
		switch i {
		case 0:
			o.Timeout = d.seconds()
		case 1:
			n, ok := d.r.Number()
			count, err := n.Int64()
			if ok && (err != nil || count < 0 || count > math.MaxInt32) {
				d.r.Refuse(string(CodeFormat), "want the number of scripts that may run at the same time; 0 means one for each CPU")
			}
			o.Parallelism = int(count)
		case 2:
			o.FailFast, _ = d.r.Bool()
		case 3:
			o.AllowSemantic, _ = d.r.Bool()
		}
	})
}

func (d *pipelineDecoder) seconds() time.Duration {
	n, ok := d.r.Number()
	if !ok {
		return 0
	}
	seconds, err := n.Float64()
	if err != nil || seconds < 0 || seconds >= math.MaxInt64/1e9 {
		d.r.Refuse(string(CodeFormat), "want a number of seconds; 0 means what the tester has")
		return 0
	}
	return time.Duration(math.Round(seconds * float64(time.Second)))
}
