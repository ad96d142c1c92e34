package scriptspec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
)

// DefaultMaxBytes is the size up to which spec files are read; they usually have 1 to 5 KiB.
const DefaultMaxBytes = 16 << 20

// DecodeOptions changes how [Decode] reads. Nil means the zero value.
type DecodeOptions struct {
	// File is the name that errors give.
	File string
	// Strict refuses members that this version does not know instead of keeping them in Extra.
	Strict bool
	// MaxBytes bounds the size of the document; 0 means DefaultMaxBytes.
	MaxBytes int64
}

// Decode reads one spec, of whichever kind the document is: a [*EnhancedScriptExecutionSpec] if it
// has input_path_specs or output_path_specs, else a [*ScriptExecutionSpec]. On an error there is no
// spec; the error is a [*DecodeError] or, where the document has several problems, unwraps to one
// for each, in the order of the text, with one line of text for each.
func Decode(r io.Reader, o *DecodeOptions) (Spec, error) {
	if o == nil {
		o = &DecodeOptions{}
	}
	limit := o.MaxBytes
	if limit <= 0 {
		limit = DefaultMaxBytes
	}
	limit = min(limit, math.MaxInt64-1)
	buf := buffers.Get().(*[]byte)
	defer releaseBuffer(buf)
	data, err := readAll(r, limit, *buf)
	if err != nil {
		return nil, fileError(o.File, "cannot be read: "+reason(err, o.File), err)
	}
	if int64(len(data)) > limit {
		return nil, tooLarge(o.File, limit)
	}
	*buf = data
	return decode(data, o.File, o.Strict)
}

// readAll reads to the end, or one byte more than the limit, into buf or a larger one.
func readAll(r io.Reader, limit int64, buf []byte) ([]byte, error) {
	buf = buf[:0]
	if known, ok := r.(interface{ Len() int }); ok {
		buf = slices.Grow(buf, int(min(int64(max(known.Len(), 0)), limit, DefaultMaxBytes)+1))
	}
	const patience = 100 // reads of nothing, as package bufio has it
	for empty := 0; empty < patience; empty++ {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, max(4096, len(buf)))
		}
		n, err := r.Read(buf[len(buf):min(int64(cap(buf)), limit+1)])
		buf = buf[:len(buf)+n]
		switch {
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return nil, err
		case int64(len(buf)) > limit:
			return buf, nil
		case n > 0:
			empty = -1
		}
	}
	return nil, io.ErrNoProgress
}

// Load reads a basic spec from a file. An enhanced one is refused with [ErrEnhanced], since its
// aliases would be lost. A symbolic link is refused, as is everything else that is no regular file.
func Load(path string) (*ScriptExecutionSpec, error) {
	s, err := loadFile(path)
	if err != nil {
		return nil, err
	}
	return asBasic(s, path)
}

// LoadEnhanced reads a spec of either kind from a file; a basic one comes without aliases.
func LoadEnhanced(path string) (*EnhancedScriptExecutionSpec, error) {
	s, err := loadFile(path)
	if err != nil {
		return nil, err
	}
	return asEnhanced(s), nil
}

// LoadFS reads a spec of either kind from a file system, such as an embedded one. It follows links
// where the file system does.
func LoadFS(fsys fs.FS, name string) (Spec, error) {
	// Looked at before it is opened: opening a FIFO would wait for its other end.
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fileError(name, "not a regular file: it is "+atomicfile.Kind(info.Mode()), atomicfile.ErrNotRegular)
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fileError(name, "replaced by what is not a regular file while it was opened", atomicfile.ErrNotRegular)
	}
	return Decode(f, &DecodeOptions{File: name})
}

// Save writes the spec to a file, whole and durably: the content is on disk when it returns nil, and
// after a failure the file is what it was before, or the new one if nothing failed but flushing its
// directory. A file that says the same already is not touched. An existing file keeps its mode, a new one is readable by its owner only, because a spec
// may hold secrets. A symbolic link is replaced, not written through; of a hard-linked file only
// this name gets the new content. The spec's names are always checked first; see [Encode].
func (s *ScriptExecutionSpec) Save(path string) error { return saveFile(s, path) }

// Save is as in [ScriptExecutionSpec.Save].
func (s *EnhancedScriptExecutionSpec) Save(path string) error { return saveFile(s, path) }

func asBasic(s Spec, file string) (*ScriptExecutionSpec, error) {
	if b, ok := s.(*ScriptExecutionSpec); ok {
		return b, nil
	}
	return nil, fileError(file, "holds an enhanced spec, whose aliases would be lost; use LoadEnhanced", ErrEnhanced)
}

func asEnhanced(s Spec) *EnhancedScriptExecutionSpec {
	if e, ok := s.(*EnhancedScriptExecutionSpec); ok {
		return e
	}
	return Enhance(s.(*ScriptExecutionSpec), nil)
}

// buffers hold the text of files while they are decoded, which copies what it keeps.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

const keepBuffer = 64 << 10 // larger ones are left to the garbage collector

func releaseBuffer(buf *[]byte) {
	if cap(*buf) <= keepBuffer {
		buffers.Put(buf)
	}
}

func loadFile(path string) (Spec, error) {
	if err := checkFilePath(path); err != nil {
		return nil, atPath("open", err, path)
	}
	buf := buffers.Get().(*[]byte)
	defer releaseBuffer(buf)
	data, _, err := atomicfile.ReadFile(path, DefaultMaxBytes, *buf)
	if err != nil {
		return nil, readError(err, path)
	}
	*buf = data
	return decode(data, path, false)
}

// checkFilePath refuses what names no file, before its last element is taken for one.
func checkFilePath(path string) error {
	switch {
	case path == "":
		return fs.ErrNotExist
	case os.IsPathSeparator(path[len(path)-1]):
		return syscall.EISDIR
	}
	return nil
}

// readError words what atomicfile says of a file that errors call path.
func readError(err error, path string) error {
	switch {
	case errors.Is(err, atomicfile.ErrTooLarge):
		return tooLarge(path, DefaultMaxBytes)
	case errors.Is(err, atomicfile.ErrNotRegular):
		return fileError(path, cause(err).Error(), err)
	}
	return atPath("open", err, path)
}

func saveFile(s Spec, path string) error {
	if err := checkFilePath(path); err != nil {
		return atPath("save", err, path)
	}
	e, err := encodeToSave(s, path)
	if err != nil {
		return err
	}
	defer e.release()
	data := e.w.Buf
	buf := buffers.Get().(*[]byte)
	defer releaseBuffer(buf)
	if old, id, err := atomicfile.ReadFile(path, DefaultMaxBytes, *buf); err == nil {
		*buf = old
		if says(old, data, s) {
			return atPath("save", atomicfile.FlushFile(path, id), path)
		}
	}
	return atPath("save", atomicfile.WriteFile(path, data, 0o600), path)
}

// encodeToSave refuses what Load would: what is saved can be loaded.
func encodeToSave(s Spec, path string) (*encoder, error) {
	e, err := encode(s, DefaultMaxBytes)
	if errors.Is(err, errTooLong) {
		return nil, tooLarge(path, DefaultMaxBytes)
	}
	return e, err
}

// says reports whether a file's text is that of the spec, or another way of writing the same. Such
// a file is left alone: nothing that watches it shall believe that it changed.
func says(text, want []byte, s Spec) bool {
	if bytes.Equal(text, want) {
		return true
	}
	old, err := decode(text, "", false)
	if err != nil {
		return false
	}
	switch old := old.(type) {
	case *ScriptExecutionSpec:
		now, ok := s.self().(*ScriptExecutionSpec)
		return ok && old.Equal(now)
	case *EnhancedScriptExecutionSpec:
		now, ok := s.self().(*EnhancedScriptExecutionSpec)
		return ok && old.Equal(now)
	}
	return false
}

func tooLarge(file string, limit int64) error {
	return fileError(file, fmt.Sprintf("larger than the limit of %d bytes", limit), atomicfile.ErrTooLarge)
}

// fileError is a DecodeError for a file as a whole.
func fileError(file, message string, err error) *DecodeError {
	return &DecodeError{File: file, Message: message, Err: err}
}

// atPath gives an error of a call inside of a directory the caller's operation and path.
func atPath(op string, err error, path string) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: printable(path), Err: cause(err)}
}

// cause returns what the system said, without operation and path, which name the file as it is
// called inside of its directory.
func cause(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrNoSpace, root(err))
	}
	return root(err)
}

func root(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		return le.Err
	}
	return err
}
