//go:build unix

package atomicfile

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Opening a FIFO that nobody writes to would wait for ever.
func TestReadRefusesAFIFO(t *testing.T) {
	t.Parallel()
	root, dir := openTemp(t)
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	_, err := Read(root, "fifo", 10)
	require.ErrorIs(t, err, ErrNotRegular)
}
