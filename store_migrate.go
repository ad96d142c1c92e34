package scriptspec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
	"github.com/scriptspec/scriptspec/internal/strictjson"
)

// Migrate takes a spec to the newest version of the format, SpecVersion, and returns what that changes. It adds and
// removes nothing else than it lists, changes no member of version 1, and asks no clock: the same spec always becomes
// the same. Of a file of the Python original user_notes becomes the description and last_updated the time of the last
// change, where these are not set; both stay. The error is for a spec of a version that this package does not know.
func Migrate(s Spec) ([]Change, error) {
	if isNil(s) {
		return nil, validateRules(s)
	}
	if fe := newerError(s); fe != nil {
		return nil, newValidationError(subject(s), []*FieldError{fe})
	}
	var changes []Change
	for version := effectiveVersion(s); version < SpecVersion; version++ {
		changes = append(changes, migrations[version](s.self())...)
	}
	return changes, nil
}

// migrations take a spec from a version to the next.
var migrations = map[int]func(s Spec) []Change{1: migrateTo2}

// effectiveVersion is what the file says, or 1.
func effectiveVersion(s Spec) int { return max(s.common().meta.SpecVersion, 1) }

func migrateTo2(s Spec) []Change {
	c := s.common()
	changes := []Change{{Path: fields[fieldVersion].name, Kind: changeAdded, New: 2}}
	if c.meta.SpecVersion == 1 {
		changes[0].Kind, changes[0].Old = changeChanged, 1
	}
	c.meta.SpecVersion = 2
	l, v := layoutOf(s)
	extra := *l.extraOf(v)
	var notes string
	if raw, ok := extra["user_notes"]; ok && c.meta.Description == "" && json.Unmarshal(raw, &notes) == nil && notes != "" && plainRules.broken(notes, always) == nil {
		c.meta.Description = notes
		changes = append(changes, Change{Path: fields[fieldDescription].name, Kind: changeAdded, New: notes})
	}
	var at Timestamp
	if raw, ok := extra["last_updated"]; ok && c.updatedAt.IsZero() && at.UnmarshalJSON(raw) == nil && !at.IsZero() {
		*c.updatedAt = at
		changes = append(changes, Change{Path: fields[fieldUpdatedAt].name, Kind: changeAdded, New: at.String()})
	}
	return changes
}

// MigrateOptions changes what [Store.MigrateAll] does. Nil means the zero value, which only looks.
type MigrateOptions struct {
	// Write writes the files that change, each as a whole.
	Write bool
	// Backup is a directory for copies of the files as they were, made before each is written; "" makes none, for
	// stores that are under version control. A copy that is there already is not replaced: that is an error.
	Backup string
}

// Migration is what becomes of a file.
type Migration struct {
	// File is its path, Changes what is different, none for a file that is of the newest version.
	File    string
	Changes []Change
	// Old and New are its text before and after.
	Old, New []byte
}

// MigrateAll takes every spec of the store to the newest version, sorted by file name, and yields what that changes. With
// Write it does so under the lock of the store; an error of one file leaves that as it was, and the rest go on.
func (st *Store) MigrateAll(ctx context.Context, o *MigrateOptions) iter.Seq2[Migration, error] {
	if o == nil {
		o = &MigrateOptions{}
	}
	return func(yield func(Migration, error) bool) {
		files, names, err := st.names()
		if err != nil {
			yield(Migration{}, err)
			return
		}
		for _, name := range names {
			if ctx.Err() != nil {
				yield(Migration{}, context.Cause(ctx))
				return
			}
			m, err := st.migrate(ctx, files, name, o)
			if !yield(m, err) {
				return
			}
		}
	}
}

func (st *Store) migrate(ctx context.Context, files *atomicfile.Dir, name string, o *MigrateOptions) (m Migration, err error) {
	m.File = filepath.Join(st.specs, name)
	if o.Write {
		unlock, err := st.lock(ctx, files)
		if err != nil {
			return m, atPath("migrate", err, m.File)
		}
		defer unlock()
	}
	if m.Old, _, err = files.Read(name, maxSpecFile, nil); err != nil {
		return m, readError(err, m.File)
	}
	s, err := decode(m.Old, m.File, false)
	if err != nil {
		return m, err
	}
	if script, _ := scriptOfFile(name); *s.common().scriptName != script {
		got := *s.common().scriptName
		return m, fileError(m.File, fmt.Sprintf("holds the spec of script_name %q", printable(got)), ErrMismatch)
	}
	m.New = m.Old
	if fe := newerError(s); fe != nil {
		return m, located(fe, m.Old, m.File)
	}
	if m.Changes, err = Migrate(s); err != nil || len(m.Changes) == 0 {
		return m, err
	}
	if m.New, err = migratedText(m.Old, m.Changes); err != nil {
		return m, atPath("migrate", err, m.File)
	}
	if _, err := decode(m.New, m.File, false); err != nil { // it may have become too long
		return m, err
	}
	if !o.Write {
		return m, nil
	}
	if o.Backup != "" {
		if err := backUp(o.Backup, name, m.Old); err != nil {
			return m, err
		}
	}
	return m, atPath("migrate", files.Write(name, m.New, st.fileMode, nil), m.File)
}

// migratedText returns the text of a spec that was migrated: the old one with the values that changed, and what is new
// behind it, so that everything else stays as a person has formatted it, and both forms of paths of the original.
func migratedText(text []byte, changes []Change) ([]byte, error) {
	for _, c := range changes {
		w := strictjson.Writer{Compact: true}
		if err := w.Value(c.New); err != nil {
			return nil, err
		}
		if start, end, there := strictjson.Span(text, []strictjson.Step{{Name: &c.Path}}); there {
			text = slices.Concat(text[:start], w.Buf, text[end:])
		} else {
			text = withMember(text, c.Path, w.Buf)
		}
	}
	return text, nil
}

// withMember returns the text of an object with a member behind its own, indented as the first.
func withMember(text []byte, name string, value []byte) []byte {
	open, end := bytes.IndexByte(text, '{')+1, bytes.LastIndexByte(text, '}')
	inside := bytes.TrimRight(text[open:end], " \t\r\n")
	indent := inside[:len(inside)-len(bytes.TrimLeft(inside, " \t\r\n"))]
	end = open + len(inside)
	return slices.Concat(text[:end], []byte(","), indent, []byte(quote(name)+": "), value, text[end:])
}

// backUp writes a copy of a file to another directory. One that is there from a migration that was killed will do.
func backUp(dir, name string, text []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if made, err := os.ReadFile(path); err == nil && bytes.Equal(made, text) {
			return nil
		}
		return fmt.Errorf("backup: %w; name another directory", err)
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}
