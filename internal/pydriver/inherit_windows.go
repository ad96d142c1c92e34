package pydriver

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/windows"
)

// inherit gives cmd the files and returns how the child calls them.
func inherit(cmd *exec.Cmd, files []*os.File) []string {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	var names []string
	for _, f := range files {
		h := f.Fd()
		// Should marking fail, the child cannot use the handle and the missing report says so.
		_ = windows.SetHandleInformation(windows.Handle(h), windows.HANDLE_FLAG_INHERIT, windows.HANDLE_FLAG_INHERIT)
		cmd.SysProcAttr.AdditionalInheritedHandles = append(cmd.SysProcAttr.AdditionalInheritedHandles, syscall.Handle(h))
		names = append(names, strconv.FormatUint(uint64(h), 10))
	}
	return names
}
