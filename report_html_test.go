package scriptspec_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec"
)

// pageElements are all that a page consists of.
var pageElements = []string{
	"html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "ul", "li", "dl", "div", "dt", "dd", "label", "input",
	"main", "section", "p", "a", "span", "small", "code", "pre", "wbr", "details", "summary", "script",
	"table", "thead", "tbody", "tr", "th", "td",
	"b", "svg", "symbol", "defs", "marker", "pattern", "path", "use", "rect", "circle", "g", "text",
}

// checkPage reads a page and holds it to what it promises, whatever is in it: no elements but ours,
// nothing that would be fetched or run, every link to a place of the page, and a policy that admits
// its own style and script alone.
func checkPage(t testing.TB, page string) map[string][]xmlElement {
	t.Helper()
	require.True(t, utf8.ValidString(page))
	between := func(from, to string) string {
		_, rest, ok := strings.Cut(page, from)
		require.True(t, ok, from)
		text, _, ok := strings.Cut(rest, to)
		require.True(t, ok, to)
		return text
	}
	style, script := between("<style>", "</style>"), between("<script>", "</script>")
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	assert.NotContains(t, strings.ReplaceAll(style, "url(#", ""), "url(")
	assert.NotContains(t, style, "@import")

	elements := parsePage(t, strings.Replace(page, script, "", 1))
	assert.Len(t, elements["script"], 1)
	assert.Len(t, elements["style"], 1)
	ids := map[string]bool{}
	var links []string
	for name, list := range elements {
		require.Contains(t, pageElements, name)
		for _, e := range list {
			for key, value := range e.attrs {
				assert.False(t, strings.HasPrefix(key, "on") || key == "src" || key == "style" || key == "action", "%s in %s", key, name)
				switch key {
				case "id":
					assert.False(t, ids[value], "duplicate id %s", value)
					ids[value] = true
				case "href":
					require.True(t, strings.HasPrefix(value, "#"), value)
					links = append(links, value[1:])
				case "aria-controls", "aria-labelledby":
					links = append(links, value)
				}
			}
			require.False(t, strings.ContainsFunc(e.text, func(r rune) bool {
				return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
			}), "%q in %s", e.text, name)
		}
	}
	for _, link := range links {
		assert.True(t, ids[link], "link to %s", link)
	}
	policy := elements["meta"][slices.IndexFunc(elements["meta"], func(e xmlElement) bool { return e.attrs["http-equiv"] != "" })]
	assert.Equal(t, "default-src 'none'; style-src "+hash(style)+"; script-src "+hash(script)+"; base-uri 'none'; form-action 'none'", policy.attrs["content"])
	return elements
}

// parsePage reads HTML that is nearly XML.
func parsePage(t testing.TB, page string) map[string][]xmlElement {
	t.Helper()
	found := map[string][]xmlElement{}
	var open []xmlElement
	var text strings.Builder // of all that has been read
	var begins []int         // in it: the texts of open elements
	dec := xml.NewDecoder(strings.NewReader(page))
	dec.Strict, dec.AutoClose, dec.Entity = false, slices.Concat(xml.HTMLAutoClose, []string{"wbr"}), xml.HTMLEntity
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			e := xmlElement{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			open, begins = append(open, e), append(begins, text.Len())
		case xml.CharData:
			text.Write(token)
		case xml.EndElement:
			e := open[len(open)-1]
			require.Equal(t, e.name, token.Name.Local)
			e.text = text.String()[begins[len(open)-1]:]
			open, begins = open[:len(open)-1], begins[:len(open)-1]
			found[e.name] = append(found[e.name], e)
		}
	}
	require.Empty(t, open)
	return found
}

func ofClass(elements []xmlElement, class string) []xmlElement {
	return slices.DeleteFunc(slices.Clone(elements), func(e xmlElement) bool {
		return !slices.Contains(strings.Fields(e.attrs["class"]), class)
	})
}

func TestPageHasEverything(t *testing.T) {
	t.Parallel()
	r := churned()
	elements := checkPage(t, report(t, (*scriptspec.PipelineTestResult).WriteHTML, r))
	nodes := ofClass(elements["a"], "node")
	require.Len(t, nodes, len(r.Nodes))
	for i, n := range r.Nodes {
		a := nodes[i]
		assert.Contains(t, a.attrs["class"], string(n.Status))
		assert.Equal(t, "button", a.attrs["role"])
		assert.True(t, strings.HasPrefix(a.attrs["aria-label"], n.Node+": "+string(n.Status)), "told by word, not by colour alone")
		assert.Contains(t, a.text, string(n.Status))
		section := elements["section"][i]
		assert.Equal(t, a.attrs["href"], "#"+section.attrs["id"])
		assert.Contains(t, section.text, n.Reason)
		if s := n.Result; s != nil {
			assert.Contains(t, section.text, strings.TrimSpace(s.Traceback))
			assert.Contains(t, section.text, strings.TrimSpace(s.Stdout.Text))
			assert.Contains(t, section.text, strings.TrimSpace(s.Stderr.Text))
			for name, o := range s.Outputs {
				assert.Contains(t, section.text, name)
				assert.Contains(t, section.text, o.Path)
			}
		}
	}
	assert.Len(t, ofClass(elements["path"], "line"), len(r.Edges))
	assert.Len(t, ofClass(elements["path"], "idle"), 2)
	labels := ofClass(elements["a"], "label")
	require.Len(t, labels, 4)
	assert.Contains(t, labels[2].text, "2 problems3 files, 1 MiBcsv, json")
	assert.Len(t, ofClass(elements["path"], "bad"), 1)
	overview := elements["section"][len(r.Nodes)].text
	assert.Contains(t, overview, "part-2.csv: is empty; a table has a header")
	assert.Contains(t, overview, "ValueError: could not convert string to float: 'n/a'")
}

func TestPageIsHarmless(t *testing.T) {
	t.Parallel()
	for _, text := range hostile() {
		elements := checkPage(t, report(t, (*scriptspec.PipelineTestResult).WriteHTML, infested(text)))
		if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) && len(text) < 100 {
			assert.Contains(t, elements["section"][3].text, strings.TrimSpace(text))
		}
	}
}

func TestPageShowsTheEndOfLongStreams(t *testing.T) {
	t.Parallel()
	r := churned()
	r.Nodes[3].Result.Stdout.Text = strings.Repeat("0123456789abcd\n", 1<<16) + "the end\n"
	page := report(t, (*scriptspec.PipelineTestResult).WriteHTML, r)
	assert.Less(t, len(page), 200<<10)
	assert.Contains(t, page, "\nthe end</pre>")
	assert.Contains(t, page, "not all of it shown")
}

// What no run writes but a file may hold is shown as far as it goes.
func TestPageOfAnOddResult(t *testing.T) {
	t.Parallel()
	status := scriptspec.NodeStatus("odd")
	elements := checkPage(t, report(t, (*scriptspec.PipelineTestResult).WriteHTML, &scriptspec.PipelineTestResult{
		Nodes: []scriptspec.NodeResult{
			{Node: "A", Status: status, Level: math.MinInt}, {Node: "B", Status: status, Level: math.MaxInt, Duration: -1},
			{Node: "A", Status: status}, {Status: status},
		},
		Edges: []scriptspec.EdgeResult{
			{Source: "B", Dest: "A"}, {Source: "A", Dest: "A"}, {Source: "none", Dest: "B"}, {Source: "A", Dest: "none"}, {Source: "A", Dest: "B"},
			{Source: "none", Dest: "B", Transfers: []scriptspec.Transfer{{Files: -1, Bytes: math.MaxInt64, Problems: []string{""}}}},
		},
	}))
	assert.Len(t, ofClass(elements["a"], "node"), 4)
	assert.Len(t, ofClass(elements["path"], "line"), 1)
	assert.Len(t, ofClass(elements["a"], "unknown"), 4)
}

// A graph that is too large to look at is listed.
func TestPageOfALargeGraph(t *testing.T) {
	t.Parallel()
	r := &scriptspec.PipelineTestResult{}
	for i := range 300 {
		name := fmt.Sprint("N", i)
		r.Nodes = append(r.Nodes, scriptspec.NodeResult{Node: name, Level: i, Status: scriptspec.NodePassed})
		for j := range i {
			r.Edges = append(r.Edges, scriptspec.EdgeResult{Source: fmt.Sprint("N", j), Dest: name})
		}
	}
	elements := checkPage(t, report(t, (*scriptspec.PipelineTestResult).WriteHTML, r))
	assert.Empty(t, ofClass(elements["a"], "node"))
	assert.Len(t, elements["section"], 301)
}

// FuzzReports puts any text in every place of a result, and writes every report.
func FuzzReports(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkReports(t, infested(text)) })
}

// FuzzPipelineResultJSON writes every report of any result that can be read.
func FuzzPipelineResultJSON(f *testing.F) {
	for _, text := range hostile() {
		data, err := json.Marshal(infested(text))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"version": 1}`))
	f.Add([]byte(`{"version": 1, "nodes": [{"node": "a", "level": -9, "duration": -1e300, "result": {}}], "edges": [{"source": "a", "dest": "a"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r scriptspec.PipelineTestResult
		if json.Unmarshal(data, &r) != nil {
			return
		}
		checkReports(t, &r)
		once, err := json.Marshal(r)
		require.NoError(t, err)
		var again scriptspec.PipelineTestResult
		require.NoError(t, json.Unmarshal(once, &again))
	})
}

func checkReports(t *testing.T, r *scriptspec.PipelineTestResult) {
	t.Helper()
	checkPage(t, report(t, (*scriptspec.PipelineTestResult).WriteHTML, r))
	checkJUnit(t, report(t, (*scriptspec.PipelineTestResult).WriteJUnit, r))
	checkCommands(t, report(t, (*scriptspec.PipelineTestResult).WriteGitHub, r))
	checkTable(t, report(t, (*scriptspec.PipelineTestResult).WriteText, r))
	checkMetrics(t, report(t, (*scriptspec.PipelineTestResult).WritePrometheus, r))
	checkOTLP(t, report(t, func(r *scriptspec.PipelineTestResult, w io.Writer) error { return r.WriteOTLP(w, "") }, r), "", "")
}
