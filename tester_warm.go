package scriptspec

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/scriptspec/scriptspec/internal/capture"
	"github.com/scriptspec/scriptspec/internal/pydriver"
)

// warmPool keeps interpreters that fork, one for each directory and environment that counts at their start.
type warmPool struct {
	mu      sync.Mutex
	servers map[string]*warmServer // by interpreter, directory and environment
}

// warmServer is started once, by the first run that needs it; others wait.
type warmServer struct {
	cancel context.CancelCauseFunc // of the start
	ready  chan struct{}
	server *pydriver.Server
	err    error
	given  map[string]string // the environment it was started with,
	shim   environChanges    // and what a shim has made of it
}

// maxWarm bounds the interpreters that are kept. Beyond that, a spec starts a fresh interpreter.
const maxWarm = 8

// get returns the interpreter for a directory and an environment, nil where there are too many.
func (p *warmPool) get(ctx context.Context, python, dir string, environ map[string]string, modules []string) (*warmServer, error) {
	list := envList(environ)
	key := python + "\x00" + dir + "\x00" + strings.Join(list, "\x00")
	for {
		starting, cancel := context.WithCancelCause(ctx)
		w, first := p.find(key, cancel)
		if first {
			w.server, w.err = pydriver.StartServer(starting, python, dir, list, modules)
			if w.err == nil {
				w.given, w.shim = environ, changesOf(environ, w.server.Environ)
			}
			if _, threads := errors.AsType[*pydriver.ThreadsError](w.err); w.err != nil && !threads {
				p.drop(w) // the next run may succeed, or have more time
			}
			close(w.ready)
		}
		cancel(nil)
		if w == nil {
			return nil, nil
		}
		select {
		case <-w.ready:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		_, failed := errors.AsType[*pydriver.PreloadError](w.err)
		_, threads := errors.AsType[*pydriver.ThreadsError](w.err)
		if w.err == nil || failed || threads || first || ctx.Err() != nil {
			return w, w.err
		}
		// It failed for a reason of the run that started it, such as the end of its context.
	}
}

// find returns the entry for a key; first reports whether the caller must start it.
func (p *warmPool) find(key string, cancel context.CancelCauseFunc) (w *warmServer, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.servers[key]; w != nil {
		return w, false
	}
	if len(p.servers) >= maxWarm {
		return nil, false
	}
	if p.servers == nil {
		p.servers = map[string]*warmServer{}
	}
	w = &warmServer{cancel: cancel, ready: make(chan struct{})}
	p.servers[key] = w
	return w, true
}

// drop forgets an interpreter.
func (p *warmPool) drop(w *warmServer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, other := range p.servers {
		if other == w {
			delete(p.servers, key)
		}
	}
}

func (p *warmPool) close() error {
	p.mu.Lock()
	servers := p.servers
	p.servers = nil
	p.mu.Unlock()
	var errs []error
	for _, w := range servers {
		w.cancel(errClosed)
		<-w.ready
		if w.server != nil {
			errs = append(errs, w.server.Close(time.Second))
		}
	}
	return errors.Join(errs...)
}

// fork has a warm interpreter run the script. It returns no leader if a new interpreter must.
func (r *scriptRun) fork(
	ctx context.Context, run *pydriver.Run, env map[string]string, stdout, stderr *capture.Stream,
) (p process, err error) {
	t := r.tester
	if !r.canFork(env) {
		return p, nil
	}
	dir, err := filepath.Abs(t.Dir)
	if err != nil {
		return p, nil //nolint:nilerr // the working directory is gone, which a new interpreter can have
	}
	r.request.Dir = dir
	starting, cancel := context.WithTimeoutCause(ctx, r.timeout, errPreloadTimeout)
	defer cancel()
	w, err := t.warm.get(starting, r.python, r.request.Dir, t.startEnvironment(r.spec), t.Preload)
	if te, ok := errors.AsType[*pydriver.ThreadsError](err); ok {
		r.result.WarmProblem = printable(r.masker.String(te.Message))
		return p, nil
	}
	if err != nil {
		return p, r.warmError(err)
	}
	script, err := filepath.EvalSymlinks(r.request.Script)
	if err != nil || w == nil || !w.server.Suits(filepath.Dir(script)) || !w.shimAgrees(env) {
		return p, nil //nolint:nilerr // it is gone, as the driver will report
	}
	env = maps.Clone(env)
	w.shim.apply(env)
	r.request.Environ = envList(env)
	const patience = 5 * time.Second // for a fork, if none is ready
	p.leader, p.guard, err = w.server.Fork(ctx, run, stdout.Writer(), stderr.Writer(), min(patience, r.timeout))
	if errors.Is(err, pydriver.ErrServerGone) {
		t.warm.drop(w)
		_ = w.server.Close(0) // it is gone
	}
	p.warm = err == nil
	return p, err
}

// shimAgrees reports whether a shim would make the same of an environment as of the server's: what it has
// changed there is the same here.
func (w *warmServer) shimAgrees(env map[string]string) bool {
	return !slices.ContainsFunc(w.shim.names(), func(name string) bool {
		then, hadIt := w.given[name]
		now, hasIt := env[name]
		return hadIt != hasIt || then != now
	})
}

// canFork reports whether the script may be run by a warm interpreter. Python 3.8 does not survive a fork
// with its debugging allocator, so it would be started anew for each script.
func (r *scriptRun) canFork(env map[string]string) bool {
	const most = 2
	debugging := env["PYTHONMALLOC"] != "" || env["PYTHONDEVMODE"] != ""
	return r.tester.Warm && pydriver.CanFork && !r.request.Program && r.lost < most && !debugging
}

var errClosed = errors.New("RuntimeTester.Close was called while the warm interpreter started")

var errPreloadTimeout = errors.New("importing the modules to preload takes longer than the timeout")

// warmError explains why there is no warm interpreter, without environment values.
func (r *scriptRun) warmError(err error) error {
	if errors.Is(err, pydriver.ErrNoPython) {
		return r.notPython(r.masker.String(err.Error()))
	}
	if pe, ok := errors.AsType[*pydriver.PreloadError](err); ok {
		return &pydriver.PreloadError{Message: printable(r.masker.String(pe.Message))}
	}
	return err
}
