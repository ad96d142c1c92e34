package testprogram_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/scriptspec/scriptspec/internal/testprogram"
)

// Programs can be started as soon as they are written, whatever others start meanwhile.
func TestWriteWhileOthersFork(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the programs are shell scripts")
	}
	dir := t.TempDir()
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 60 {
				path := filepath.Join(dir, fmt.Sprintf("%d-%d", worker, i))
				testprogram.Write(t, path, "#!/bin/sh\nexit 0\n")
				if !assert.NoError(t, exec.Command(path).Run()) {
					return
				}
			}
		})
	}
	all.Wait()
}

func TestCopyAll(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the programs are shell scripts")
	}
	from, to := t.TempDir(), t.TempDir()
	testprogram.Write(t, filepath.Join(from, "yes"), "#!/bin/sh\necho yes\n")
	testprogram.CopyAll(t, from, to)
	out, err := exec.Command(filepath.Join(to, "yes")).Output()
	assert.NoError(t, err)
	assert.Equal(t, "yes\n", string(out))
}
