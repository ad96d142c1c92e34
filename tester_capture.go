package scriptspec

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/scriptspec/scriptspec/internal/mask"
)

// Capture is what a script wrote to one of its streams.
type Capture struct {
	// Text is the output, cut in the middle if it was too long, as valid UTF-8.
	Text string `json:"text"`
	// Bytes counts all of the output, kept or not.
	Bytes int64 `json:"bytes"`
	// Truncated tells that Text is not all of it.
	Truncated bool `json:"truncated"`
	// File is the full copy, if RuntimeTester.LogDir asked for one.
	File string `json:"file,omitempty"`
	// FileError tells why File is not all of it, or "".
	FileError string `json:"file_error,omitempty"`
}

// stream takes in what a script writes to a pipe, masks it and keeps some of it.
type stream struct {
	read, write *os.File
	kept        *boundedBuffer
	file        *os.File // full copy, or nil
	fileErr     error
	masked      *mask.Writer
	bytes       int64
	done        chan struct{}
}

func newStream(limit int64, hide *mask.Masker, logFile string) (*stream, error) {
	s := &stream{kept: newBoundedBuffer(limit), done: make(chan struct{})}
	s.masked = hide.Writer(writerFunc(s.keep))
	var err error
	if logFile != "" { // not to be waited for, should it be a FIFO
		if s.file, err = os.OpenFile(logFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NONBLOCK, 0o600); err != nil {
			return nil, err
		}
	}
	if s.read, s.write, err = os.Pipe(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// writerFunc is an io.Writer.
type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// keep takes masked output. A log that cannot be written does not hold up the script.
func (s *stream) keep(p []byte) {
	s.kept.add(p)
	if s.file != nil && s.fileErr == nil {
		_, s.fileErr = s.file.Write(p)
	}
}

// start takes in all there is until finish. The process that writes has its end of the pipe by now.
func (s *stream) start() {
	_ = s.write.Close() // a copy
	s.write = nil
	go func() {
		defer close(s.done)
		buf := make([]byte, 64<<10)
		for {
			n, err := s.read.Read(buf)
			s.bytes += int64(n)
			_, _ = s.masked.Write(buf[:n]) // keep does not fail
			if err != nil {
				return // the end, or finish has lost patience
			}
		}
	}()
}

// finish returns what was kept, after the writers have ended. One that could not be ended may still
// hold the pipe, so no more than wait is spent on its end.
func (s *stream) finish(wait time.Duration) Capture {
	_ = s.read.SetReadDeadline(time.Now().Add(wait)) // where it does not work, there is close
	select {
	case <-s.done:
	case <-time.After(2 * wait):
		_ = s.read.Close()
		<-s.done
	}
	_ = s.masked.Flush() // keep does not fail
	c := s.kept.capture()
	c.Bytes = s.bytes
	if s.file != nil {
		c.File = s.file.Name()
		if err := errors.Join(s.fileErr, s.file.Close()); err != nil {
			c.FileError = root(err).Error()
		}
		s.file = nil
	}
	return c
}

// close releases what is left.
func (s *stream) close() error {
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

// boundedBuffer keeps the beginning and the end of what it is given.
type boundedBuffer struct {
	headLimit, tailLimit int
	head                 []byte
	tail                 []byte // a ring once it is full
	next                 int    // where the ring goes on
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

// capture returns what was kept.
func (b *boundedBuffer) capture() Capture {
	tail := string(b.tail[b.next:]) + string(b.tail[:b.next])
	c := Capture{Text: string(b.head) + tail}
	if dropped := b.total - int64(len(c.Text)); dropped > 0 {
		c.Truncated = true
		c.Text = fmt.Sprintf("%s\n[... %d bytes ...]\n%s", b.head, dropped, tail)
	}
	c.Text = strings.ToValidUTF8(c.Text, "\uFFFD")
	return c
}
