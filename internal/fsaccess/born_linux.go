package fsaccess

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Born returns when a file was made, in nanoseconds since 1970, or 0 where the system does not say. A link is not
// followed. Unlike an inode number, no file has that of another.
func Born(path string) int64 {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BTIME, &st)
	if err != nil || st.Mask&unix.STATX_BTIME == 0 {
		return 0
	}
	return st.Btime.Sec*1e9 + int64(st.Btime.Nsec)
}

// Now returns a time that is not after the one that a file of this machine would be made at: files have a clock that
// stands still for some milliseconds.
func Now() time.Time {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &ts); err != nil {
		return time.Now().Add(-10 * time.Millisecond)
	}
	return time.Unix(ts.Unix())
}

// IsHole reports whether a regular file is known to have nothing in it but a size: it was only made longer, or room
// for it reserved.
func IsHole(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = unix.Seek(int(f.Fd()), 0, unix.SEEK_DATA)
	return errors.Is(err, unix.ENXIO)
}
