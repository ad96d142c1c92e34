//go:build !unix

package datafiles

const nonblock = 0
