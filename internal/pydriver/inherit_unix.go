//go:build !windows

package pydriver

import (
	"os"
	"os/exec"
	"strconv"
)

// inherit gives cmd the files and returns how the child calls them.
func inherit(cmd *exec.Cmd, files []*os.File) []string {
	const firstExtra = 3 // behind standard input, output and error
	var names []string
	for i := range files {
		names = append(names, strconv.Itoa(firstExtra+len(cmd.ExtraFiles)+i))
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, files...)
	return names
}
