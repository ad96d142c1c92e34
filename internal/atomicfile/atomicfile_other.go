//go:build !unix

package atomicfile

import "os"

const openFlags = 0

// syncDir does nothing: a directory cannot be flushed here.
func syncDir(*os.File) error { return nil }
