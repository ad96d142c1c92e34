package scriptspec_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// TestMain asks python3 once which program it is. Where it is a shim, hundreds of testers that each run a
// single script would pay for it; the tests of shims bring their own.
func TestMain(m *testing.M) {
	if dir := os.Getenv(counterDir); dir != "" { // a process of the tests of stores
		if err := count(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	// Most tests wait for a script, so that twice as many as there are CPUs are no burden; -parallel decides if it is given.
	if cpus := runtime.GOMAXPROCS(0); flag.Lookup("test.parallel").Value.String() == strconv.Itoa(cpus) {
		if err := flag.Set("test.parallel", strconv.Itoa(2*cpus)); err != nil {
			panic(err)
		}
	}
	if os.Getenv("SCRIPTSPEC_PYTHON") == "" && !testing.Short() {
		out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
		if program := strings.TrimSpace(string(out)); err == nil && program != "" {
			err = os.Setenv("SCRIPTSPEC_PYTHON", program)
			if err != nil {
				panic(err)
			}
		}
	}
	code := m.Run()
	if helperDir != "" {
		_ = os.RemoveAll(helperDir)
	}
	os.Exit(code)
}

// goCommand is a call of the go command that builds as this test was built.
func goCommand(verb string, args ...string) *exec.Cmd {
	return exec.Command("go", append(append([]string{verb}, goFlags...), args...)...)
}
