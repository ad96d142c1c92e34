package scriptspec

import (
	"hash/maphash"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
)

// specCache caches the specs and the names of a store's files. The zero value is ready to use.
type specCache struct {
	mu    sync.RWMutex
	specs map[string]*cachedSpec
	names cachedNames
}

// cachedSpec does not change once it is in the cache, except for valid.
type cachedSpec struct {
	spec Spec
	id   atomicfile.ID
	sum  uint64 // of the file's text
	// olderThanTick reports whether the file was old enough when it was read for its ID to differ
	// from that of every later version. A file that is replaced twice within a tick of the file
	// system's clock may have the same times and inode; then its text decides.
	olderThanTick bool
	// valid reports whether the spec itself has no errors.
	valid atomic.Bool
}

// ownErrors returns the errors of the spec itself, and remembers if there are none.
func (c *cachedSpec) ownErrors(s Spec) []*FieldError {
	if c.valid.Load() {
		return nil
	}
	errs := ownErrors(s)
	if len(errs) == 0 {
		c.valid.Store(true)
	}
	return errs
}

// cachedNames is the sorted list of a directory's spec files. It does not change.
type cachedNames struct {
	id            atomicfile.ID
	sorted        []string
	olderThanTick bool
}

const (
	// cacheLimit is the size up to which files are kept.
	cacheLimit = 64 << 10
	// fineTick is longer than a tick of the clock of file systems with fractions of a second, which
	// on Linux is that of the scheduler. coarseTick is for those with whole seconds; FAT has steps of
	// two.
	fineTick   = 100 * time.Millisecond
	coarseTick = 3 * time.Second
)

var cacheSeed = maphash.MakeSeed()

// list returns the names of the spec files of a directory, sorted. The caller must not change them.
func (c *specCache) list(files *atomicfile.Dir, dir string) ([]string, error) {
	now := time.Now()
	id, err := files.Self()
	if err != nil {
		return nil, err
	}
	c.mu.RLock()
	kept := c.names
	c.mu.RUnlock()
	if kept.olderThanTick && kept.id == id {
		return kept.sorted, nil
	}
	declare(dir)
	names, err := files.Names()
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		_, ok := scriptOfFile(name)
		return !ok
	})
	slices.Sort(names)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names = cachedNames{id, names, olderThanTick(now, id)}
	return names, nil
}

// olderThanTick reports whether something with this ID had not changed for longer than a tick of its
// clock at the time now. A time in the future is never old.
func olderThanTick(now time.Time, id atomicfile.ID) bool {
	return older(now, id.Modified) && older(now, id.Change)
}

func older(now time.Time, at int64) bool {
	tick := fineTick
	if at%int64(time.Second) == 0 {
		tick = coarseTick
	}
	return now.UnixNano()-at > int64(tick)
}

// load returns a copy of the spec in a file, and its entry of the cache if it has one. Errors call the
// directory dir. A file of more than limit bytes is not read.
func (c *specCache) load(files *atomicfile.Dir, dir, name string, limit int64) (Spec, *cachedSpec, error) {
	c.mu.RLock()
	kept := c.specs[name]
	c.mu.RUnlock()
	if kept != nil && kept.olderThanTick {
		if id, err := files.Stat(name); err == nil && id == kept.id {
			return cloneSpec(kept.spec), kept, nil
		}
	}
	buf := buffers.Get().(*[]byte)
	defer releaseBuffer(buf)
	now := time.Now()
	declare(filepath.Join(dir, name))
	data, id, err := files.Read(name, limit, *buf)
	if err != nil {
		c.drop(name)
		return nil, nil, readError(err, filepath.Join(dir, name))
	}
	*buf = data
	sum := maphash.Bytes(cacheSeed, data)
	if kept != nil && kept.sum == sum && kept.id.Size == id.Size {
		s := kept.spec
		if olderThanTick(now, id) {
			kept = c.put(name, &cachedSpec{spec: s, id: id, sum: sum, olderThanTick: true})
		}
		return cloneSpec(s), kept, nil
	}
	s, err := decode(data, filepath.Join(dir, name), false)
	if err != nil {
		c.drop(name)
		return nil, nil, err
	}
	if len(data) > cacheLimit {
		c.drop(name)
		return s, nil, nil
	}
	kept = c.put(name, &cachedSpec{spec: s, id: id, sum: sum, olderThanTick: olderThanTick(now, id)})
	return cloneSpec(s), kept, nil
}

func (c *specCache) put(name string, s *cachedSpec) *cachedSpec {
	c.mu.Lock()
	defer c.mu.Unlock()
	setEntry(&c.specs, name, s)
	return s
}

func (c *specCache) drop(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.specs, name)
}

func cloneSpec(s Spec) Spec {
	if e, ok := s.(*EnhancedScriptExecutionSpec); ok {
		return e.Clone()
	}
	return s.Basic()
}
