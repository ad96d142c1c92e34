//go:build unix

package datafiles_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec/internal/datafiles"
)

// Opening a FIFO would wait for ever, and a link may lead anywhere.
func TestOnlyRegularFilesAreOpened(t *testing.T) {
	t.Parallel()
	outside := data(t, map[string]string{"secret.csv": "a,b\n1,2\n"})
	dir := data(t, map[string]string{"a.csv": "a,b\n1,2\n"})
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "f.csv"), 0o600))
	require.NoError(t, os.Symlink(filepath.Join(outside, "secret.csv"), filepath.Join(dir, "l.csv")))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "d")))
	require.NoError(t, os.Symlink(".", filepath.Join(dir, "loop")))
	assert.Equal(t, []string{"a.csv 8"}, names(t, dir))
	p := open(t, dir)
	for _, name := range []string{"f.csv", "l.csv", "d/secret.csv", "../" + filepath.Base(outside) + "/secret.csv"} {
		assert.Error(t, p.Table(t.Context(), name, datafiles.TableRule{}), name)
		assert.Error(t, p.JSON(t.Context(), name), name)
	}
	_, err := datafiles.Open(filepath.Join(dir, "f.csv"))
	assert.ErrorIs(t, err, os.ErrInvalid)

	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	assert.Equal(t, []string{"a.csv 8"}, names(t, link), "the place itself may be a link")
}
