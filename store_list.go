package scriptspec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
	"github.com/scriptspec/scriptspec/internal/similarity"
)

// All iterates over every spec of the store, those of steps included, sorted by file name. Files are
// loaded on all cores and handed out in order, a bounded number ahead. A file that cannot be loaded
// yields a nil Spec and its error, and the rest go on. Other files of the directory are ignored.
func (st *Store) All() iter.Seq2[Spec, error] {
	return st.each(context.Background(), func(Spec, *cachedSpec) error { return nil })
}

// ValidateAll iterates over the specs of the store like [Store.All] and yields with each what
// [ScriptExecutionSpec.ValidateSpec] says of it, nil where nothing is wrong. Each path is looked at
// once in a call, however many specs name it. When ctx ends, its error is yielded last.
// o.StepNameRule is called from several goroutines at once.
func (st *Store) ValidateAll(ctx context.Context, o *ValidateOptions) iter.Seq2[Spec, error] {
	with := ValidateOptions{}
	if o != nil {
		with = *o
	}
	with.Base, with.dir = cmp.Or(with.Base, st.base), st.dir
	o = &with
	return func(yield func(Spec, error) bool) {
		check := checkPathOnce()
		st.each(ctx, func(s Spec, kept *cachedSpec) error {
			var errs []*FieldError
			if kept != nil {
				errs = kept.ownErrors(s)
			} else {
				errs = ownErrors(s)
			}
			return validateWith(s, errs, o, check)
		})(yield)
	}
}

// names returns the files with specs, sorted; none where there is no directory. They are not to be
// changed.
func (st *Store) names() (*atomicfile.Dir, []string, error) {
	files, err := st.open(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	var names []string
	if err == nil {
		names, err = st.cache.list(files, st.specs)
	}
	return files, names, atPath("list", err, st.specs)
}

// Pipelines returns the names of the pipelines of the store, sorted.
func (st *Store) Pipelines() ([]string, error) {
	files, err := st.open(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var pipelines []string
	if err == nil {
		declare(st.specs)
		var names []string
		names, err = files.Names()
		for _, file := range names {
			if name, ok := strings.CutSuffix(file, pipelineFileSuffix); ok && checkPipelineName(name) == "" {
				pipelines = append(pipelines, name)
			}
		}
	}
	slices.Sort(pipelines)
	return pipelines, atPath("list", err, st.specs)
}

// readNamed reads the file of what is called so, of the kind that the suffix says.
func (st *Store) readNamed(name, suffix string) (data []byte, file string, err error) {
	file = filepath.Join(st.specs, name+suffix)
	files, err := st.open(false)
	if err != nil {
		return nil, file, atPath("open", err, file)
	}
	declare(file)
	if data, _, err = files.Read(name+suffix, maxSpecFile, nil); err != nil {
		return nil, file, st.withNearest(readError(err, file), name, suffix)
	}
	return data, file, nil
}

// withNearest adds to an error for a file that is not there the one of its kind that may be meant.
func (st *Store) withNearest(err error, name, suffix string) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if near := st.nearest(name, suffix); near != "" {
		return fmt.Errorf("%w (did you mean %s?)", err, printable(near))
	}
	return err
}

// nearest returns the name of a file of the store, without its suffix, that may be meant by another.
func (st *Store) nearest(name, suffix string) string {
	files, err := st.open(false)
	if err != nil {
		return ""
	}
	const most = 10_000 // more are not worth the time
	names, _ := files.Names()
	var known []string
	for _, file := range names[:min(len(names), most)] {
		if stem, ok := strings.CutSuffix(file, suffix); ok {
			known = append(known, stem)
		}
	}
	slices.Sort(known)
	if near := similarity.Nearest(known, name, ToSnakeCase(name)); near != name {
		return near
	}
	return "" // it was deleted, or saved, in the meantime
}

// each loads every spec and calls check for those that load, on all cores.
func (st *Store) each(ctx context.Context, check func(Spec, *cachedSpec) error) iter.Seq2[Spec, error] {
	return func(yield func(Spec, error) bool) {
		files, names, err := st.names()
		if err != nil {
			yield(nil, err)
			return
		}
		for l := range st.loadNames(ctx, files, names, check) {
			if ctx.Err() != nil {
				yield(nil, context.Cause(ctx))
				return
			}
			if !yield(l.spec, l.err) || errors.Is(l.err, fs.ErrClosed) {
				return
			}
		}
	}
}

// loadedSpec is a file of the store that was loaded, or could not be.
type loadedSpec struct {
	name  string
	spec  Spec
	err   error
	later bool // to be loaded when its turn comes
}

// loadNames loads files, calls check for those that load, on all cores, and yields them in their order. Files that were
// deleted since the directory was read are left out.
func (st *Store) loadNames(ctx context.Context, files *atomicfile.Dir, names []string, check func(Spec, *cachedSpec) error) iter.Seq[loadedSpec] {
	load := func(name string, limit int64) loadedSpec {
		l := loadedSpec{name: name}
		if ctx.Err() != nil {
			return l
		}
		script, _ := scriptOfFile(name)
		s, kept, err := st.loadFrom(files, script, name, limit)
		if limit < maxSpecFile && errors.Is(err, atomicfile.ErrTooLarge) {
			l.later = true
			return l
		}
		if err == nil {
			err = check(s, kept)
		}
		l.spec, l.err = s, err
		return l
	}
	return func(yield func(loadedSpec) bool) {
		// Large files are not loaded ahead: a few of them would fill the memory.
		for l := range inOrder(names, func(name string) loadedSpec { return load(name, cacheLimit) }) {
			if l.later {
				l = load(l.name, maxSpecFile)
			}
			if errors.Is(l.err, fs.ErrNotExist) && l.spec == nil {
				continue
			}
			if !yield(l) {
				return
			}
		}
	}
}

const (
	chunkSize = 64 // items that one goroutine does at a time
	ahead     = 4  // chunks per goroutine that are done before they are asked for
)

// inOrder calls do for every item on all cores and yields the results in the order of the items. No
// goroutine is left when it returns.
func inOrder[In, Out any](items []In, do func(In) Out) iter.Seq[Out] {
	return func(yield func(Out) bool) {
		type chunk struct {
			in  []In
			out chan []Out
		}
		workers := min(runtime.GOMAXPROCS(0), len(items)/chunkSize+1)
		todo := make(chan chunk)
		order := make(chan chunk, workers*ahead) // its size bounds the work done ahead
		stop := make(chan struct{})
		var running sync.WaitGroup
		defer running.Wait()
		defer close(stop)
		running.Go(func() {
			defer close(order)
			defer close(todo)
			for in := range slices.Chunk(items, chunkSize) {
				c := chunk{in, make(chan []Out, 1)}
				select {
				case order <- c:
				case <-stop:
					return
				}
				select {
				case todo <- c:
				case <-stop:
					return
				}
			}
		})
		for range workers {
			running.Go(func() {
				for c := range todo {
					out := make([]Out, len(c.in))
					for i, item := range c.in {
						select {
						case <-stop:
							return
						default:
						}
						out[i] = do(item)
					}
					c.out <- out
				}
			})
		}
		for c := range order {
			for _, out := range <-c.out {
				if !yield(out) {
					return
				}
			}
		}
	}
}
