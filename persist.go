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

// maxSpecFile is the size up to which spec files are read. Most take 1 to 5 KiB.
const maxSpecFile = 16 << 20

// DecodeOptions changes how [Decode] reads. Nil means the zero value.
type DecodeOptions struct {
	// File is the name that errors use.
	File string
	// Strict refuses members that this version does not know instead of keeping them in Extra.
	Strict bool
	// MaxBytes bounds the size of the document; 0 means maxSpecFile.
	MaxBytes int64
}

// Decode reads one spec, of whichever kind the document is: a [*EnhancedScriptExecutionSpec] if it
// has input_path_specs or output_path_specs, else a [*ScriptExecutionSpec]. The error is a
// [*DecodeError]; if the document has several problems it unwraps to one for each, in the order of the
// text, and has a line for each. With an error there is no spec.
func Decode(r io.Reader, o *DecodeOptions) (Spec, error) {
	if o == nil {
		o = &DecodeOptions{}
	}
	limit := o.MaxBytes
	if limit <= 0 {
		limit = maxSpecFile
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
		buf = slices.Grow(buf, int(min(int64(max(known.Len(), 0)), limit, maxSpecFile)+1))
	}
	const patience = 100 // reads of nothing, as in package bufio
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

// Load reads a basic spec from a file. It refuses an enhanced one with [ErrEnhanced], since its aliases
// would be lost, and whatever is not a regular file, symbolic links included.
func Load(path string) (*ScriptExecutionSpec, error) {
	s, err := loadFile(path)
	if err != nil {
		return nil, err
	}
	return asBasic(s, path, "LoadEnhanced")
}

// LoadEnhanced reads a spec of either kind from a file. The paths of a basic one have no aliases.
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
	// Before it is opened: opening a FIFO would block.
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
		return nil, fileError(name, "replaced by something other than a regular file while it was opened", atomicfile.ErrNotRegular)
	}
	return Decode(f, &DecodeOptions{File: name})
}

// Save writes the spec to a file, atomically and durably: when it returns nil the content is on disk, and
// after an error the file is as it was, or the new one if only flushing the directory failed. A file
// with the same content is not touched. An existing file keeps its mode; a new one is readable by its
// owner only, because a spec may hold secrets. A symbolic link is replaced, not followed, and of a
// hard-linked file only this name gets the new content. Names are always checked first; see [Encode].
func (s *ScriptExecutionSpec) Save(path string) error { return saveFile(s, path) }

// Save is as in [ScriptExecutionSpec.Save].
func (s *EnhancedScriptExecutionSpec) Save(path string) error { return saveFile(s, path) }

// asBasic refuses an enhanced spec, which the method would read.
func asBasic(s Spec, file, method string) (*ScriptExecutionSpec, error) {
	if b, ok := s.(*ScriptExecutionSpec); ok {
		return b, nil
	}
	return nil, fileError(file, "holds an enhanced spec, whose aliases would be lost; use "+method, ErrEnhanced)
}

func asEnhanced(s Spec) *EnhancedScriptExecutionSpec {
	if e, ok := s.(*EnhancedScriptExecutionSpec); ok {
		return e
	}
	return Enhance(s.(*ScriptExecutionSpec), nil)
}

// buffers hold the text of files while it is decoded. Decoding copies what it keeps.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

const keepBuffer = 64 << 10 // larger buffers are garbage

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
	declare(path)
	data, _, err := atomicfile.ReadFile(path, maxSpecFile, *buf)
	if err != nil {
		return nil, readError(err, path)
	}
	*buf = data
	return decode(data, path, false)
}

// checkFilePath refuses paths that cannot be those of a file.
func checkFilePath(path string) error {
	switch {
	case path == "":
		return fs.ErrNotExist
	case os.IsPathSeparator(path[len(path)-1]):
		return syscall.EISDIR
	}
	return nil
}

// readError converts an error of atomicfile about a file that errors call path.
func readError(err error, path string) error {
	switch {
	case errors.Is(err, atomicfile.ErrTooLarge):
		return tooLarge(path, maxSpecFile)
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
	if old, id, err := atomicfile.ReadFile(path, maxSpecFile, *buf); err == nil {
		*buf = old
		if sameSpec(old, data, s) {
			return atPath("save", atomicfile.FlushFile(path, id), path)
		}
	}
	return atPath("save", atomicfile.WriteFile(path, data, 0o600), path)
}

// encodeToSave also refuses what is too long for Load.
func encodeToSave(s Spec, path string) (*encoder, error) {
	e, err := encode(s, maxSpecFile)
	if errors.Is(err, errTooLong) {
		return nil, tooLarge(path, maxSpecFile)
	}
	return e, err
}

// sameSpec reports whether a file's text is the spec's, or another spelling of it, but for updated_at, which
// says when something else was changed. Such a file is left alone, so that whatever watches it sees no change.
func sameSpec(text, want []byte, s Spec) bool {
	if bytes.Equal(text, want) {
		return true
	}
	old, err := decode(text, "", false)
	if err != nil {
		return false
	}
	*old.common().updatedAt = *s.common().updatedAt
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

// fileError returns a DecodeError about a file as a whole.
func fileError(file, message string, err error) *DecodeError {
	return &DecodeError{File: file, Message: message, Err: err}
}

// atPath replaces operation and path of an error from inside of a directory by the caller's.
func atPath(op string, err error, path string) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: printable(path), Err: cause(err)}
}

// cause returns an error without operation and path, which are relative to the file's directory.
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
