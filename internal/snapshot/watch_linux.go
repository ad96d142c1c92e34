package snapshot

import (
	"encoding/binary"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// watch notes which files are written to while it lasts. Neither times nor contents tell a file that was
// written anew, with the same content, from one that was merely touched.
type watch struct {
	file     *os.File
	dirs     map[int32]string  // by watch descriptor, relative to the top
	watched  map[string]bool   // these directories
	origins  map[string]string // what a name had been called at first, "" for a new file; else it is as it was
	moving   map[uint32]string // between the two events of a move
	modified map[string]bool   // files that were there, by the name that they had at first
	touched  map[string]bool   // those that were given another time, mode or link
	lost     bool              // events were
	done     chan struct{}
}

const watchedEvents = unix.IN_MODIFY | unix.IN_ATTRIB | unix.IN_MOVE | unix.IN_CREATE | unix.IN_DELETE | unix.IN_ONLYDIR | unix.IN_DONT_FOLLOW

// newWatch watches the directories of the files; nil if the system has no watches left.
func newWatch(top string, files files) *watch {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil
	}
	w := &watch{file: os.NewFile(uintptr(fd), "inotify"), dirs: map[int32]string{}, watched: map[string]bool{}, modified: map[string]bool{}, touched: map[string]bool{}, done: make(chan struct{})}
	w.origins, w.moving = map[string]string{}, map[uint32]string{}
	const most = 1000 // directories: a user has some ten thousand watches
	for name := range files {
		dir := path.Dir(name)
		if w.watched[dir] {
			continue
		}
		w.watched[dir] = true
		number, err := unix.InotifyAddWatch(fd, filepath.Join(top, filepath.FromSlash(dir)), watchedEvents)
		if err != nil || len(w.watched) > most {
			_ = w.file.Close()
			return nil
		}
		w.dirs[int32(number)] = dir
	}
	go w.listen()
	return w
}

func (w *watch) listen() {
	defer close(w.done)
	buf := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		w.take(buf[:n])
	}
}

// take notes events, each a struct inotify_event with its name.
func (w *watch) take(events []byte) {
	for len(events) >= unix.SizeofInotifyEvent {
		number := int32(binary.NativeEndian.Uint32(events))
		flags := binary.NativeEndian.Uint32(events[4:])
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(events[12:]))
		if flags&unix.IN_Q_OVERFLOW != 0 {
			w.lost = true
		}
		if dir, ok := w.dirs[number]; ok && end <= len(events) {
			name := strings.TrimRight(string(events[unix.SizeofInotifyEvent:end]), "\x00")
			w.event(flags, binary.NativeEndian.Uint32(events[8:]), join(dir, name))
		}
		events = events[min(end, len(events)):]
	}
}

func (w *watch) event(flags, cookie uint32, name string) {
	origin, known := w.origins[name]
	if !known {
		origin = name
	}
	switch {
	case flags&unix.IN_MODIFY != 0:
		w.modified[origin] = true
	case flags&unix.IN_ATTRIB != 0:
		w.touched[origin] = true
	case flags&unix.IN_MOVED_FROM != 0:
		w.moving[cookie], w.origins[name] = origin, ""
	case flags&unix.IN_MOVED_TO != 0:
		w.origins[name] = w.moving[cookie]
	case flags&(unix.IN_CREATE|unix.IN_DELETE) != 0:
		w.origins[name] = ""
	}
}

// finish ends the watch and returns what was seen.
func (w *watch) finish() trace {
	_ = w.file.SetReadDeadline(time.Unix(1, 0))
	<-w.done
	_ = w.file.SetReadDeadline(time.Time{})
	conn, err := w.file.SyscallConn()
	if err != nil {
		return trace{}
	}
	err = conn.Control(func(fd uintptr) {
		buf := make([]byte, 64<<10)
		for {
			n, err := unix.Read(int(fd), buf) // what is left
			if n <= 0 || err != nil {
				return
			}
			w.take(buf[:n])
		}
	})
	return trace{err == nil && !w.lost, w.watched, w.origins, w.modified, w.touched}
}

// close gives the watch back. The system takes some milliseconds for that, for which nobody waits.
func (w *watch) close() { go w.file.Close() }
