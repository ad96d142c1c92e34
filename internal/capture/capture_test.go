package capture

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec/internal/mask"
)

const watchdog = time.Minute

// captured is what becomes of text that is written in parts of a size.
func captured(t *testing.T, text string, size int, limit int64, masker *mask.Masker, logFile string) Output {
	t.Helper()
	s, err := New(limit, masker, logFile)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	// A copy, as a child process has it.
	write, err := os.OpenFile(fmt.Sprintf("/dev/fd/%d", s.Writer().Fd()), os.O_WRONLY, 0)
	if err != nil {
		t.Skip("needs /dev/fd")
	}
	s.Start()
	for len(text) > 0 {
		n := min(size, len(text))
		_, err := io.WriteString(write, text[:n])
		require.NoError(t, err)
		text = text[n:]
	}
	require.NoError(t, write.Close())
	return s.Finish(watchdog)
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 7, 1000} {
		text := "first" + strings.Repeat("x", 991) + "last"
		out := captured(t, text, size, 20, nil, "")
		assert.Equal(t, "firstxxxxx\n[... 980 bytes ...]\nxxxxxxlast", out.Text)
		assert.True(t, out.Truncated)
		assert.EqualValues(t, 1000, out.Bytes)
		assert.Equal(t, Output{Text: text, Bytes: 1000}, captured(t, text, size, 1000, nil, ""))
	}
	assert.Equal(t, Output{Text: "\uFFFD!", Bytes: 3}, captured(t, "\xff\xfe!", 1, 100, nil, ""))
}

func TestFullCopyIsMaskedToo(t *testing.T) {
	t.Parallel()
	masker := mask.New(map[string]string{"hunter2-secret": "[redacted]"}, 6)
	file := filepath.Join(t.TempDir(), "log")
	out := captured(t, "it is hunter2-secret; hunter2", 3, 1000, masker, file)
	assert.Equal(t, Output{Text: "it is [redacted]; hunter2", Bytes: 29, File: file}, out)
	copied, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, out.Text, string(copied))
}

// A writer that could not be ended does not hold up the result.
func TestFinishDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	defer write.Close()
	s := &Stream{kept: newBoundedBuffer(10), done: make(chan struct{}), read: read}
	s.masked = (*mask.Masker)(nil).Writer(writerFunc(s.keep))
	s.write, err = os.Open(os.DevNull)
	require.NoError(t, err)
	s.Start()
	assert.Equal(t, Output{}, s.Finish(time.Millisecond))
	require.NoError(t, s.Close())
}
