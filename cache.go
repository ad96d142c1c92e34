package scriptspec

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
)

// specCache keeps the specs of a store's files, so that a file that has not changed is not decoded
// again. The zero value is ready.
type specCache struct {
	mu    sync.RWMutex
	specs map[string]*cachedSpec
}

// cachedSpec is never changed once it is in the cache.
type cachedSpec struct {
	spec Spec
	id   atomicfile.ID
	sum  uint64 // of the file's text
	// settled tells that the file was old enough when it was read for its ID to tell it from any
	// later version. A file that is replaced twice within a tick of the file system's clock may have
	// the same times, and the same inode; then its text decides.
	settled bool
}

const (
	// cacheLimit is the size up to which files are kept.
	cacheLimit = 64 << 10
	// clockTick is longer than a tick of any file system's clock; FAT counts in 2 seconds.
	clockTick = 3 * time.Second
)

var cacheSeed = maphash.MakeSeed()

// load returns a copy of the spec in a file, which errors call path.
func (c *specCache) load(files *atomicfile.Dir, name, path string) (Spec, error) {
	c.mu.RLock()
	kept := c.specs[name]
	c.mu.RUnlock()
	if kept != nil && kept.settled {
		if id, err := files.Stat(name); err == nil && id == kept.id {
			return cloneSpec(kept.spec), nil
		}
	}
	buf := buffers.Get().(*[]byte)
	defer releaseBuffer(buf)
	now := time.Now()
	data, id, err := files.Read(name, DefaultMaxBytes, *buf)
	if err != nil {
		c.drop(name)
		return nil, readError(err, path)
	}
	*buf = data
	settled := now.UnixNano()-id.Modified > int64(clockTick)
	sum := maphash.Bytes(cacheSeed, data)
	if kept != nil && kept.sum == sum && kept.id.Size == id.Size {
		if settled {
			c.put(name, &cachedSpec{kept.spec, id, sum, settled})
		}
		return cloneSpec(kept.spec), nil
	}
	s, err := decode(data, path, false)
	if err != nil {
		c.drop(name)
		return nil, err
	}
	if len(data) <= cacheLimit {
		c.put(name, &cachedSpec{s, id, sum, settled})
		s = cloneSpec(s)
	}
	return s, nil
}

func (c *specCache) put(name string, s *cachedSpec) {
	c.mu.Lock()
	defer c.mu.Unlock()
	setEntry(&c.specs, name, s)
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
