package scriptspec

import (
	"context"
	"fmt"

	"github.com/scriptspec/scriptspec/internal/githead"
)

// LoadRevision loads a spec as a revision of git has it: HEAD, a branch, a tag or a commit. The name is that of a script, or
// of a file without its suffix, as prep.training. The error is a [*FieldError] for a name that is neither, and otherwise that
// of git, which must have the file, or of a text that is not a spec.
func (st *Store) LoadRevision(ctx context.Context, revision, name string) (Spec, error) {
	file := name + specFileSuffix
	if _, ok := scriptOfFile(file); !ok {
		return nil, nameError(fieldScriptName, name, CodeFormat)
	}
	object := revision + ":./" + file
	text, err := githead.Text(ctx, st.specs, revision, file, maxSpecFile)
	if err != nil {
		return nil, fmt.Errorf("git has no %s: %w", printable(object), err)
	}
	return decode(text, object, false)
}
