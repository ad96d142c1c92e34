// Package capture collects what a process writes to a stream, masked and bounded.
package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/scriptspec/scriptspec/internal/mask"
)

// Output is what was captured of a stream.
type Output struct {
	Text      string // valid UTF-8, cut in the middle if it was too long
	Bytes     int64  // of all of the output, kept or not
	Truncated bool   // Text is not all of it
	File      string // the full copy, or ""
	FileError string // why File is not all of it, or ""
}

// Stream captures what is written to a pipe.
type Stream struct {
	read, write *os.File
	kept        *boundedBuffer
	file        *os.File // full copy, or nil
	fileErr     error
	masked      *mask.Writer
	bytes       int64
	lines       atomic.Int64
	done        chan struct{}
}

// New opens a pipe and, if logFile is not "", a file for a full copy. Of the output limit bytes are
// kept, its beginning and its end.
func New(limit int64, masker *mask.Masker, logFile string) (*Stream, error) {
	s := &Stream{kept: newBoundedBuffer(limit), done: make(chan struct{})}
	s.masked = masker.Writer(writerFunc(s.keep))
	var err error
	if logFile != "" {
		// A file is replaced: writing to it would reach what a link leads to, and other names of a file.
		if info, err := os.Stat(logFile); err != nil || info.Mode().IsRegular() {
			_ = os.Remove(logFile) // opening it shows what is wrong
		}
		flags := os.O_WRONLY | os.O_CREATE | os.O_TRUNC | syscall.O_NONBLOCK // in case it is a FIFO
		if s.file, err = os.OpenFile(logFile, flags, 0o600); err != nil {
			return nil, err
		}
	}
	if s.read, s.write, err = os.Pipe(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Writer returns the end of the pipe for the process to write to, until Start.
func (s *Stream) Writer() *os.File { return s.write }

// Lines returns how many line ends have been read so far. It may be called at any time.
func (s *Stream) Lines() int64 { return s.lines.Load() }

// writerFunc is an io.Writer that does not fail.
type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// keep takes masked output. A log that cannot be written does not hold up the process.
func (s *Stream) keep(p []byte) {
	s.kept.add(p)
	if s.file != nil && s.fileErr == nil {
		_, s.fileErr = s.file.Write(p)
	}
}

// Start begins to read, and closes the writing end: by now the process has a copy.
func (s *Stream) Start() {
	_ = s.write.Close()
	s.write = nil
	go func() {
		defer close(s.done)
		buf := make([]byte, 64<<10)
		for {
			n, err := s.read.Read(buf)
			s.bytes += int64(n)
			s.lines.Add(int64(bytes.Count(buf[:n], []byte{'\n'})))
			_, _ = s.masked.Write(buf[:n]) // keep does not fail
			if err != nil {
				return // the end, or Finish no longer waits
			}
		}
	}()
}

// Finish returns what was captured, after the process has ended. A descendant that could not be ended
// may still have the pipe open, so Finish waits no longer than wait for its end.
func (s *Stream) Finish(wait time.Duration) Output {
	_ = s.read.SetReadDeadline(time.Now().Add(wait)) // where that has no effect, Close does
	select {
	case <-s.done:
	case <-time.After(2 * wait):
		_ = s.read.Close()
		<-s.done
	}
	_ = s.masked.Flush() // keep does not fail
	out := s.kept.output()
	out.Bytes = s.bytes
	if s.file != nil {
		out.File = s.file.Name()
		if err := errors.Join(s.fileErr, s.file.Close()); err != nil {
			out.FileError = withoutPath(err).Error()
		}
		s.file = nil
	}
	return out
}

// withoutPath returns the cause of a file system error.
func withoutPath(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// Close releases what is still open.
func (s *Stream) Close() error {
	var errs []error
	for _, f := range []*os.File{s.read, s.write, s.file} {
		if f != nil {
			if err := f.Close(); !errors.Is(err, os.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// boundedBuffer keeps the beginning and the end of what is added.
type boundedBuffer struct {
	headLimit, tailLimit int
	head                 []byte
	tail                 []byte // a ring once it is full
	next                 int    // where the ring continues
	total                int64
}

func newBoundedBuffer(limit int64) *boundedBuffer {
	half := int(limit / 2)
	return &boundedBuffer{headLimit: int(limit) - half, tailLimit: half}
}

func (b *boundedBuffer) add(p []byte) {
	b.total += int64(len(p))
	take := min(b.headLimit-len(b.head), len(p))
	b.head, p = append(b.head, p[:take]...), p[take:]
	if len(p) > b.tailLimit {
		p = p[len(p)-b.tailLimit:]
	}
	take = min(b.tailLimit-len(b.tail), len(p))
	b.tail, p = append(b.tail, p[:take]...), p[take:]
	for len(p) > 0 {
		c := copy(b.tail[b.next:], p)
		b.next = (b.next + c) % len(b.tail)
		p = p[c:]
	}
}

// output returns what was kept.
func (b *boundedBuffer) output() Output {
	tail := string(b.tail[b.next:]) + string(b.tail[:b.next])
	out := Output{Text: string(b.head) + tail}
	if dropped := b.total - int64(len(out.Text)); dropped > 0 {
		out.Truncated = true
		out.Text = fmt.Sprintf("%s\n[... %d bytes ...]\n%s", b.head, dropped, tail)
	}
	out.Text = strings.ToValidUTF8(out.Text, "\uFFFD")
	return out
}
