package scriptspec

import (
	"cmp"
	"context"
	"iter"
	"path/filepath"
	"slices"
)

// RenderOptions changes what [Store.RenderAll] does. Nil means the zero value, which only looks.
type RenderOptions struct {
	// Select picks specs; nil means all.
	Select *Selector
	// Write saves the specs that change.
	Write bool
	// Theirs takes what the bases say where both they and the spec have changed a value since the spec was rendered last.
	// Otherwise the spec keeps its own, with a change of the kind kept.
	Theirs bool
}

// Rendering is what [Store.Render] makes of a spec of the store.
type Rendering struct {
	// File is its path, Changes what is different.
	File    string
	Changes []Change
}

// RenderAll renders the specs of the store that have bases, or once had, sorted by file name, and yields what that changes.
// With Write each goes to the file that it is from, as Save does. An error leaves its file as it was, and the rest go on;
// one is a [*ValidationError] with what the bases would break in a spec that complies with the rules.
func (st *Store) RenderAll(ctx context.Context, o *RenderOptions) iter.Seq2[Rendering, error] {
	o = cmp.Or(o, &RenderOptions{})
	return func(yield func(Rendering, error) bool) {
		all, err := st.stored(ctx)
		if err != nil {
			yield(Rendering{}, err)
			return
		}
		chosen, err := st.choose(ctx, o.Select, all)
		if err != nil && !yield(Rendering{}, err) {
			return
		}
		for i, c := range all {
			if !chosen[i] {
				continue
			}
			if c.err != nil {
				if !yield(Rendering{}, c.err) {
					return
				}
				continue
			}
			meta := c.spec.common().meta
			if len(meta.Extends) == 0 && len(meta.Inherited) == 0 {
				continue
			}
			if ctx.Err() != nil {
				yield(Rendering{}, context.Cause(ctx))
				return
			}
			name := c.stem + specFileSuffix
			r := Rendering{File: filepath.Join(st.specs, name)}
			rendered := cloneSpec(c.spec)
			if r.Changes, err = st.render(rendered, o.Theirs); err == nil && o.Write && len(r.Changes) > 0 {
				err = st.saveRendered(c.spec, rendered, name)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// saveRendered saves what a spec of a file was rendered to, unless it breaks rules that the spec keeps, or the file has
// been changed since.
func (st *Store) saveRendered(before, rendered Spec, name string) error {
	known := fieldErrors(before.Validate())
	broken := slices.DeleteFunc(fieldErrors(rendered.Validate()), func(fe *FieldError) bool {
		return slices.ContainsFunc(known, func(old *FieldError) bool { return old.Path == fe.Path && old.Message == fe.Message })
	})
	if len(broken) > 0 {
		return newValidationError(subject(rendered), broken)
	}
	file := filepath.Join(st.specs, name)
	e, err := encodeToSave(rendered, file)
	if err != nil {
		return err
	}
	defer e.release()
	return st.write(file, e.w.Buf, func(old []byte) bool { return sameSpec(old, e.w.Buf, rendered) }, func(old []byte) error {
		if !sameSpec(old, nil, before) {
			return fileError(file, "was changed while it was rendered; look again", nil)
		}
		return nil
	})
}
