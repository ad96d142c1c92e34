package datafiles

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	sniffBytes = 4096 // read of a file
	sniffEach  = 16   // files read for each extension; the others are assumed to be the same
	sniffAll   = 256  // files looked into
)

// Inspect counts the regular files at a path and their bytes, and lists their formats, sorted. Neither
// temporary files nor those that cannot be read count.
//
// A format is recognised by extension and first bytes. "csv" is a file whose name and content agree,
// or one without a known extension whose content has an unmistakable signature; "csv?" is likely by
// only one of the two; "parquet named .csv" contradicts itself; "empty" has no bytes. What has neither
// is "text" or "binary".
func Inspect(name string) (files int, size int64, formats []string) {
	p, err := Open(name)
	if err != nil {
		return 0, 0, nil
	}
	defer p.Close() //nolint:errcheck // nothing was written
	found := map[string]bool{}
	looked, total := map[string]int{}, 0
	buf := make([]byte, sniffBytes)
	for f, err := range p.Files() {
		if err != nil {
			continue
		}
		files++
		size += f.Size
		ext := extension(f.Name)
		if f.Size == 0 {
			found["empty"] = true
			continue
		}
		if looked[ext] == sniffEach {
			continue
		}
		if total == sniffAll {
			if known, ok := formatOf(ext); ok && looked[ext] == 0 {
				found[known.name+"?"] = true
			}
			continue
		}
		looked[ext]++
		total++
		if format, err := p.format(f, buf); err == nil {
			found[format] = true
		}
	}
	return files, size, slices.Sorted(maps.Keys(found))
}

// format examines the beginning of a file, as much as fits into buf.
func (p *Place) format(file File, buf []byte) (string, error) {
	f, err := p.Open(file.Name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	n, err := io.ReadFull(f, buf)
	whole := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !whole {
		return "", err
	}
	return describe(extension(file.Name), buf[:n], whole), nil
}

// describe compares what the extension says with what the content shows.
func describe(ext string, head []byte, whole bool) string {
	if len(head) == 0 {
		return "empty"
	}
	kind := content(head, whole)
	known, ok := formatOf(ext)
	switch {
	case !ok && guessed(kind):
		return kind + "?"
	case !ok:
		return kind
	case slices.Contains(known.contents, kind):
		return known.name
	case kind == "text" && guessed(known.name):
		return known.name + "?"
	default:
		return kind + " named ." + ext
	}
}

// guessed lists the contents that have no signature.
func guessed(kind string) bool {
	return kind == "csv" || kind == "tsv" || kind == "json" || kind == "jsonl"
}

func extension(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}

// format is what an extension promises: a name, and the contents that bear it out.
type format struct {
	name     string
	contents []string
}

// formatOf returns what an extension promises. It is a function so that nothing can change the table.
func formatOf(ext string) (format, bool) {
	anyText := []string{"text", "csv", "tsv", "json", "jsonl", "xml"}
	switch ext {
	case "csv": // a table of one column has no separators
		return format{"csv", []string{"csv", "text"}}, true
	case "tsv", "tab":
		return format{"tsv", []string{"tsv", "text"}}, true
	case "json":
		return format{"json", []string{"json"}}, true
	case "jsonl", "ndjson":
		return format{"jsonl", []string{"jsonl", "json"}}, true // json: a single line
	case "txt", "log", "text":
		return format{"text", anyText}, true
	case "md", "py", "yaml", "toml", "ini", "cfg", "sql":
		return format{ext, anyText}, true
	case "yml":
		return format{"yaml", anyText}, true
	case "xml", "html":
		return format{ext, []string{"xml", "text"}}, true
	case "parquet", "zip", "npy", "hdf5", "sqlite", "arrow", "avro", "orc", "pdf", "png", "tar", "zstd", "xz", "bzip2":
		return format{ext, []string{ext}}, true
	case "npz", "xlsx", "whl", "jar":
		return format{ext, []string{"zip"}}, true
	case "pkl", "pickle":
		return format{"pickle", []string{"pickle"}}, true
	case "joblib":
		return format{"joblib", []string{"pickle", "gzip", "xz", "bzip2"}}, true
	case "pt", "pth":
		return format{"pytorch", []string{"zip", "pickle"}}, true
	case "keras":
		return format{"keras", []string{"zip", "hdf5"}}, true
	case "h5":
		return format{"hdf5", []string{"hdf5"}}, true
	case "db", "sqlite3":
		return format{"sqlite", []string{"sqlite"}}, true
	case "feather":
		return format{"feather", []string{"arrow"}}, true
	case "gz", "tgz":
		return format{"gzip", []string{"gzip"}}, true
	case "jpg", "jpeg":
		return format{"jpeg", []string{"jpeg"}}, true
	case "zst":
		return format{"zstd", []string{"zstd"}}, true
	case "bz2":
		return format{"bzip2", []string{"bzip2"}}, true
	case "onnx":
		return format{"onnx", []string{"binary"}}, true
	}
	return format{}, false
}

// signature returns the format whose signature the first bytes are, or "".
func signature(head []byte) string {
	for _, s := range [...]struct{ prefix, kind string }{
		{"PAR1", "parquet"},
		{"\x1f\x8b", "gzip"},
		{"PK\x03\x04", "zip"},
		{"PK\x05\x06", "zip"}, // without entries
		{"\x93NUMPY", "npy"},
		{"\x89HDF\r\n\x1a\n", "hdf5"},
		{"SQLite format 3\x00", "sqlite"},
		{"ARROW1", "arrow"},
		{"FEA1", "arrow"},
		{"Obj\x01", "avro"},
		{"ORC", "orc"},
		{"%PDF-", "pdf"},
		{"\x89PNG\r\n\x1a\n", "png"},
		{"\xff\xd8\xff", "jpeg"},
		{"BZh", "bzip2"},
		{"\xfd7zXZ\x00", "xz"},
		{"\x28\xb5\x2f\xfd", "zstd"},
	} {
		if bytes.HasPrefix(head, []byte(s.prefix)) && (!isText(head) || len(s.prefix) > 4) {
			return s.kind // three letters alone may begin a text
		}
	}
	if len(head) > 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5 {
		return "pickle"
	}
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return "tar"
	}
	return ""
}

// content classifies the first bytes of a file; whole means that they are all of it.
func content(head []byte, whole bool) string {
	if kind := signature(head); kind != "" {
		return kind
	}
	if !isText(head) {
		return "binary"
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff")))
	switch {
	case len(text) == 0:
		return "text"
	case text[0] == '{' || text[0] == '[':
		if kind := jsonKind(text, whole); kind != "" {
			return kind
		}
	case text[0] == '<' && len(text) > 1 && (text[1] == '?' || text[1] == '!' || isLetter(text[1])):
		return "xml"
	}
	return tableKind(head, whole)
}

// isText looks for bytes that no text has, whatever its encoding: Latin-1 is text too.
func isText(head []byte) bool {
	return !bytes.ContainsFunc(head, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != '\x1b'
	})
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// jsonKind returns whether there is one document or several; "" is not JSON.
func jsonKind(text []byte, whole bool) string {
	dec := jsontext.NewDecoder(bytes.NewReader(text), lenient...)
	values := 0
	for {
		if dec.StackDepth() == 0 && dec.InputOffset() > 0 {
			values++
		}
		if _, err := dec.ReadToken(); err != nil {
			cut := errors.Is(err, io.ErrUnexpectedEOF) && !whole
			switch {
			case !errors.Is(err, io.EOF) && !cut:
				return ""
			case values > 1, values == 1 && cut:
				return "jsonl"
			}
			return "json"
		}
	}
}

// tableKind finds a separator of which every line has the same number, or "text".
func tableKind(head []byte, whole bool) string {
	lines := bytes.Split(head, []byte("\n"))
	if !whole {
		lines = lines[:len(lines)-1] // cut off
	}
	lines = slices.DeleteFunc(lines, func(l []byte) bool { return len(bytes.TrimSpace(l)) == 0 })
	if len(lines) < 2 {
		return "text"
	}
	lines = lines[:min(len(lines), 20)]
	for _, sep := range []byte(",\t;|") {
		n := separators(lines[0], sep)
		if n > 0 && !slices.ContainsFunc(lines[1:], func(l []byte) bool { return separators(l, sep) != n }) {
			if sep == '\t' {
				return "tsv"
			}
			return "csv"
		}
	}
	return "text"
}

// separators counts those that are not in quotes.
func separators(line []byte, sep byte) int {
	n, quoted := 0, false
	for _, c := range line {
		if c == '"' {
			quoted = !quoted
		} else if c == sep && !quoted {
			n++
		}
	}
	return n
}
