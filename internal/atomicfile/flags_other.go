//go:build !unix

package atomicfile

const lockFlags = 0
