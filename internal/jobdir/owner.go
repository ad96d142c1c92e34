package jobdir

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/scriptspec/scriptspec/internal/atomicfile"
	"github.com/scriptspec/scriptspec/internal/fsaccess"
)

// ownerFile has the host of the driver.
const ownerFile = "owner"

// Owned is the directory of a driver for jobs that no later driver takes up. It is there, and locked, while there are
// jobs: one that is there and not locked was left by a driver that was killed. The zero value is ready to use, by
// several goroutines.
type Owned struct {
	mu     sync.Mutex
	dir    string
	unlock func()
	users  int
}

// Place returns a directory for the attempts of a job below that of the driver, which it makes in parent for the first
// one, after it has called end for each job that a driver has left there that was killed on this host: of those of other
// hosts the locks need not hold here. What remains is left to the next call if end fails.
func (o *Owned) Place(parent string, end func(Dir) error) (dir string, release func(), err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users == 0 {
		endOrphans(parent, end)
		if err := o.create(parent); err != nil {
			return "", nil, err
		}
	}
	o.users++
	dir = filepath.Join(o.dir, rand.Text())
	return dir, sync.OnceFunc(func() { o.release(dir) }), nil
}

func (o *Owned) release(dir string) {
	_ = fsaccess.RemoveTree(dir) // a later driver tries again
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users--; o.users == 0 {
		_ = fsaccess.RemoveTree(o.dir)
		o.unlock()
	}
}

// create makes and locks the directory. The owner is in it once it is locked.
func (o *Owned) create(parent string) error {
	o.dir = filepath.Join(parent, rand.Text())
	if err := os.MkdirAll(o.dir, privateDir); err != nil {
		return err
	}
	var err error
	if o.unlock, err = lock(o.dir); err != nil {
		return errors.Join(err, os.Remove(o.dir))
	}
	host, _ := os.Hostname() // "" is one, too
	return os.WriteFile(filepath.Join(o.dir, ownerFile), []byte(host), private)
}

func lock(dir string) (unlock func(), err error) {
	d, err := atomicfile.OpenPath(dir)
	if err != nil {
		return nil, err
	}
	release, err := d.Lock(context.Background(), 0)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return func() {
		release()
		_ = d.Close()
	}, nil
}

// endOrphans ends the jobs of drivers that are gone.
func endOrphans(parent string, end func(Dir) error) {
	host, _ := os.Hostname()
	entries, _ := os.ReadDir(parent) // there may be none
	for _, e := range entries {
		dir := filepath.Join(parent, e.Name())
		if owner, err := os.ReadFile(filepath.Join(dir, ownerFile)); err != nil || string(owner) != host {
			continue
		}
		unlock, err := lock(dir)
		if err != nil {
			continue // it runs
		}
		if jobs, err := os.ReadDir(dir); err == nil {
			for _, job := range jobs {
				for _, attempt := range All(filepath.Join(dir, job.Name())) {
					err = errors.Join(err, end(attempt))
				}
			}
			if err == nil {
				_ = fsaccess.RemoveTree(dir)
			}
		}
		unlock()
	}
}
