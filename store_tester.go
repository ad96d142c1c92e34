package scriptspec

import (
	"cmp"
	"os"
)

// Tester returns a tester that runs the scripts of the store as the command does: with its settings, and with relative paths from
// its Base. SCRIPTSPEC_PYTHON goes before the interpreter of the settings, as in the command; SCRIPTSPEC_TIMEOUT is the command's
// alone. The error is that of [Store.Settings].
func (st *Store) Tester() (*RuntimeTester, error) {
	s, err := st.Settings()
	if err != nil {
		return nil, err
	}
	return &RuntimeTester{
		Base: st.base, Python: cmp.Or(os.Getenv("SCRIPTSPEC_PYTHON"), s.Python), CommandLine: s.CommandLine, Timeout: s.Timeout,
	}, nil
}
