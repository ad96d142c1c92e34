//go:build !unix

package pydriver

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/scriptspec/scriptspec/internal/proctree"
)

// CanFork reports whether there are servers here.
const CanFork = false

// Server is an interpreter that forks; there is none without fork.
type Server struct{ Environ []string }

// StartServer fails.
func StartServer(context.Context, string, string, []string, []string) (*Server, error) {
	return nil, errors.ErrUnsupported
}

// Suits tells that no script can be forked.
func (*Server) Suits(string) bool { return false }

// Fork fails.
func (*Server) Fork(context.Context, *Run, *os.File, *os.File, time.Duration) (leader proctree.Leader, guard int, err error) {
	return nil, 0, errors.ErrUnsupported
}

// Close does nothing.
func (*Server) Close(time.Duration) error { return nil }
