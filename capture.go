package scriptspec

import "strings"

// Capture is what a script wrote to one of its streams.
type Capture struct {
	// Text is the output, cut in the middle if it was too long, as valid UTF-8.
	Text string `json:"text"`
	// Bytes counts all of the output, kept or not.
	Bytes int64 `json:"bytes"`
	// Truncated tells that Text is not all of it.
	Truncated bool `json:"truncated"`
}

// boundedBuffer is an io.Writer that keeps the beginning and the end of what it is given. The zero
// value keeps nothing.
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

func (b *boundedBuffer) Write(p []byte) (int, error) {
	n := len(p)
	b.total += int64(n)
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
	return n, nil
}

// capture returns what was kept, with clean applied to it.
func (b *boundedBuffer) capture(clean func(string) string) Capture {
	tail := string(b.tail[b.next:]) + string(b.tail[:b.next])
	c := Capture{Bytes: b.total, Truncated: b.total > int64(len(b.head)+len(b.tail))}
	if c.Truncated {
		c.Text = clean(string(b.head)) + "\n[...]\n" + clean(tail)
	} else {
		c.Text = clean(string(b.head) + tail)
	}
	c.Text = strings.ToValidUTF8(c.Text, "\uFFFD")
	return c
}
