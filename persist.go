package scriptspec

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

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
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fileError(o.File, "cannot be read: "+reason(err), err)
	}
	if int64(len(data)) > limit {
		return nil, tooLarge(o.File, limit)
	}
	return decode(data, o.File, o.Strict)
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

// LoadFS reads a spec of either kind from a file system, such as an embedded one.
func LoadFS(fsys fs.FS, name string) (Spec, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Decode(f, &DecodeOptions{File: name})
}

// Save writes the spec to a file, whole and durably: the content is on disk when it returns, and
// after any failure the file is what it was before. An existing file keeps its mode, a new one is
// readable by its owner only, because a spec may hold secrets. The spec's names are always checked
// first; see [Encode].
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

func loadFile(path string) (Spec, error) {
	root, err := openDir("open", path)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return loadIn(root, filepath.Base(path), path)
}

// loadIn reads name in root; file is how errors call it.
func loadIn(root *os.Root, name, file string) (Spec, error) {
	data, err := atomicfile.Read(root, name, DefaultMaxBytes)
	switch {
	case errors.Is(err, atomicfile.ErrTooLarge):
		return nil, tooLarge(file, DefaultMaxBytes)
	case errors.Is(err, atomicfile.ErrNotRegular):
		return nil, fileError(file, cause(err).Error(), err)
	case err != nil:
		return nil, atPath("open", err, file)
	}
	return decode(data, file, false)
}

func saveFile(s Spec, path string) error {
	data, err := encode(s)
	if err != nil {
		return err
	}
	if len(data) > DefaultMaxBytes {
		return tooLarge(path, DefaultMaxBytes)
	}
	root, err := openDir("save", path)
	if err != nil {
		return err
	}
	defer root.Close()
	return atPath("save", atomicfile.Write(root, filepath.Base(path), data, 0o600), path)
}

func tooLarge(file string, limit int64) error {
	return fileError(file, fmt.Sprintf("larger than the limit of %d bytes", limit), atomicfile.ErrTooLarge)
}

// fileError is a DecodeError for a file as a whole.
func fileError(file, message string, err error) *DecodeError {
	return &DecodeError{File: file, Message: message, Err: err}
}

// openDir opens the directory of a file.
func openDir(op, path string) (*os.Root, error) {
	if path == "" {
		return nil, &fs.PathError{Op: op, Path: path, Err: fs.ErrNotExist}
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	return root, atPath(op, err, path)
}

// atPath gives an error of a call inside of a directory the caller's operation and path.
func atPath(op string, err error, path string) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: cause(err)}
}

// cause returns what the system said, without operation and path, which name the file as it is
// called inside of its directory.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		return le.Err
	}
	return err
}
