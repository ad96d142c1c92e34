//go:build !linux

package fsaccess

import "time"

// Now returns a time that is not after that which a file would be made at now.
func Now() time.Time { return time.Now().Add(-20 * time.Millisecond) }

// Born returns 0: the systems differ in where they have it.
func Born(string) int64 { return 0 }

// IsHole returns false: the systems differ in what they say.
func IsHole(string) bool { return false }
