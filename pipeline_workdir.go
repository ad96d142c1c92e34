package scriptspec

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
)

// ownDir has what is known of the nodes of a work directory, and tells that runs may clear their
// directories in it.
const ownDir = ".scriptspec"

// workDir is the directory of a pipeline's outputs, held by one run. Nothing outside of it is cleared
// or written, whatever links stand in it.
type workDir struct {
	path   string // absolute
	root   *os.Root
	own    *atomicfile.Dir
	unlock func()
}

// openWorkDir opens and locks a work directory. It makes the directory only if told to.
func openWorkDir(path string, create bool) (*workDir, error) {
	var err error
	if path == "" {
		path, err = os.MkdirTemp("", "scriptspec-pipeline-")
	} else if path, err = filepath.Abs(path); err == nil && create {
		err = os.MkdirAll(path, 0o777)
	}
	if err != nil {
		return nil, fmt.Errorf("work directory: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("work directory: %w", err)
	}
	w := &workDir{path: path, root: root}
	if err := w.take(create); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return w, nil
}

// take makes sure that the directory is one of ours, and that nobody else has it.
func (w *workDir) take(create bool) error {
	if _, err := w.root.Lstat(ownDir); errors.Is(err, fs.ErrNotExist) && create {
		if err := w.claim(); err != nil {
			return err
		}
	}
	own, err := w.root.OpenRoot(ownDir)
	if err != nil {
		return fmt.Errorf("work directory: %w", atPath("open", err, filepath.Join(w.path, ownDir)))
	}
	if w.own, err = atomicfile.Open(own); err != nil {
		return errors.Join(err, own.Close())
	}
	const wait = time.Second // a run that is just ending is worth it
	if w.unlock, err = w.own.Lock(context.Background(), wait); err != nil {
		return errors.Join(fmt.Errorf("work directory %s belongs to another run: %w", printable(w.path), err), w.own.Close())
	}
	return nil
}

// claim makes an empty directory ours. What a user has put somewhere is not to be cleared.
func (w *workDir) claim() error {
	entries, err := fs.ReadDir(w.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("work directory: %w", atPath("read", err, w.path))
	}
	for _, e := range entries {
		if e.Name() == ownDir {
			return nil // by another run, just now
		}
	}
	if len(entries) > 0 {
		return &FieldError{
			Path: "options.work_dir", Code: CodeNotEmpty, Value: w.path,
			Message: "work directory holds what no pipeline run put there: " + printable(filepath.Join(w.path, entries[0].Name())),
			Hint:    "name an empty or a new directory",
		}
	}
	if err := w.root.Mkdir(ownDir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("work directory: %w", atPath("mkdir", err, filepath.Join(w.path, ownDir)))
	}
	return nil
}

func (w *workDir) close() {
	w.unlock()
	_ = w.own.Close() // nothing is left to be written
	_ = w.root.Close()
}

// outputPaths returns where a node writes: <work>/<node>/<logical name>.
func (w *workDir) outputPaths(node string, s Spec) map[string]string {
	return newPaths(filepath.Join(w.path, node), entryKeys(sortedPaths(s, fieldOutputs)))
}

// clear empties a node's directory.
func (w *workDir) clear(node string) error {
	err := w.root.RemoveAll(node)
	if err == nil {
		err = w.root.Mkdir(node, 0o777)
	}
	return atPath("clear", err, filepath.Join(w.path, node))
}

// nodeRecord is what is known of a node's last run, so that a later run can build on it.
type nodeRecord struct {
	Version int        `json:"version"`
	Node    string     `json:"node"`
	Status  NodeStatus `json:"status"`
	// Digest tells one spec and wiring from another, without environment values and times.
	Digest string `json:"digest"`
	// Data tells for each output one state of its files from another, by names, sizes and times.
	Data map[string]string `json:"data"`
	// OutdatedBy names a node before this one that was run again since, without this one.
	OutdatedBy string `json:"outdated_by"`
	// Changed says what of its data was changed after the node had ended.
	Changed string `json:"changed"`
}

func recordName(node string) string { return filepath.Join(ownDir, node+".json") }

// record returns what is known of a node. What cannot be read is as good as nothing.
func (w *workDir) record(node string) (nodeRecord, bool) {
	const longest = 1 << 20
	var rec nodeRecord
	data, _, err := w.own.Read(node+".json", longest, nil)
	if err != nil || json.Unmarshal(data, &rec) != nil || rec.Version != 1 {
		return nodeRecord{}, false
	}
	return rec, true
}

// setRecord keeps what is known of a node. It need not survive a power cut: then the node is to be
// run again.
func (w *workDir) setRecord(rec nodeRecord) error {
	rec.Version = 1
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	if err := w.forget(rec.Node); err != nil {
		return err
	}
	// A new file: a script may have put a link or FIFO in its place.
	f, err := w.root.OpenFile(recordName(rec.Node), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	return errors.Join(err, f.Close())
}

// forget drops what is known of a node.
func (w *workDir) forget(node string) error { return w.root.RemoveAll(recordName(node)) }

// digest sums up what a node is run with: its spec, apart from environment values, times and the paths
// that a run replaces; its wires; and the same of the nodes that feed it.
func digest(s Spec, fed []AssignedPair, of func(node string) string) string {
	if isNil(s) {
		return ""
	}
	b := s.self().Basic().Redacted()
	b.CreatedAt, b.UpdatedAt = Timestamp{}, Timestamp{}
	for name := range b.OutputPaths {
		b.OutputPaths[name] = name
	}
	for _, p := range fed {
		setEntry(&b.InputPaths, p.DestLogicalName, p.DestLogicalName)
	}
	e, err := encode(b, 0)
	if err != nil {
		return "" // which no script can be run with either
	}
	defer e.release()
	h := sha256.New()
	h.Write(e.w.Buf)
	for _, p := range fed {
		fmt.Fprintf(h, "%q %q %q %q\n", p.DestLogicalName, p.Source, p.SourceLogicalName, of(p.Source))
	}
	return hex.EncodeToString(h.Sum(nil))
}
