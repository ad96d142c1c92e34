//go:build !linux

package snapshot

// watch is for Linux only. Elsewhere times decide.
type watch struct{}

func newWatch(string, files) *watch { return nil }

func (*watch) finish() (old, added map[string]bool, complete bool) { return nil, nil, false }

func (*watch) covers(string) bool { return false }

func (*watch) close() {}
