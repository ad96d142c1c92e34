package scriptspec

import (
	"reflect"

	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// RunStoreAs is RunStore for a test of another type, which may fail without failing its own.
func RunStoreAs[T testingT[T]](t T, st *Store, o *HarnessOptions) *StoreTestResult {
	return runStore(t, st, o)
}

// RunPipelineAs is RunPipeline for a test of another type.
func RunPipelineAs[T testingT[T]](t T, tester *RuntimeTester, p *PipelineTestingSpec, o *PipelineOptions) {
	runPipeline(t, tester, p, o)
}

// MemberKinds returns the names of all members of a spec file, each with the kinds of spec that have it.
func MemberKinds() map[string][]string {
	kinds := map[string][]string{}
	for i, row := range fields {
		kinds[row.name] = nil
		for kind, l := range map[string]*layout{"basic": basicLayout, "enhanced": enhancedLayout} {
			if l.has(i) {
				kinds[row.name] = append(kinds[row.name], kind)
			}
		}
	}
	return kinds
}

// InspectData lets the tests see what a run says of data.
var InspectData = inspectData

// The codec of a struct, which specs are made of, for structs of the tests' own.

func objectOf(p any) (*codec, reflect.Value) {
	v := reflect.ValueOf(p).Elem()
	return codecOf(v.Type()), v
}

// EncodeObject writes a struct and returns the places of what could not be written.
func EncodeObject(p any) (text string, places []string) {
	c, v := objectOf(p)
	var e encoder
	flaws := c.write(&e, v)
	return string(e.w.Buf), placesOf(flaws)
}

// DecodeObject reads into a struct.
func DecodeObject(text string, p any) error {
	c, v := objectOf(p)
	d := &decoder{r: new(strictjson.Reader)}
	d.r.Reset([]byte(text))
	c.read(d, nil, v)
	d.r.End()
	return problemsError([]byte(text), "", d.r.Problems(), placeText)
}

// CheckObject returns the places of what breaks a rule in a struct that is to be stored.
func CheckObject(p any) []string {
	c, v := objectOf(p)
	return placesOf(c.check(nil, v, storing))
}

// CopyObject copies a struct.
func CopyObject(to, from any) {
	c, src := objectOf(from)
	c.copy(reflect.ValueOf(to).Elem(), src)
}

// EqualObjects compares structs.
func EqualObjects(a, b any) bool {
	c, v := objectOf(a)
	return c.equal(v, reflect.ValueOf(b).Elem())
}

func placesOf(flaws []flaw) (places []string) {
	for _, f := range flaws {
		places = append(places, f.place)
	}
	return places
}

// TellObserver has n events of a kind handed to the observer.
func TellObserver(t *RuntimeTester, kind EventKind, n int) {
	for range n {
		t.tell(Event{Kind: kind})
	}
}

// FlushObserver waits until the observer has got them.
func FlushObserver(t *RuntimeTester) { t.flush() }

// PythonFilesBelow is the search for scripts that have moved.
var PythonFilesBelow = pythonFilesBelow

// IsPlainVersion and MatchVersion are the quick and the whole look at a version specifier.
var (
	IsPlainVersion = isPlainVersion
	MatchVersion   = packageVersion.MatchString
)
