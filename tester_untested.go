package scriptspec

import (
	"errors"
	"fmt"
	"sync"
)

// untested remembers whether any script of a run could be tested, and if not, why. It may be used by several goroutines.
type untested struct {
	mu     sync.Mutex
	tested bool
	err    error // the first one
}

// note takes in what a script's test returned.
func (u *untested) note(result *ScriptTestResult, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case result != nil:
		switch result.Outcome {
		case OutcomeScriptMissing, OutcomeInputMissing, OutcomeOutputUnusable: // without an interpreter
		default:
			u.tested = true
		}
	case u.err == nil && !isSpecError(err) && !errors.Is(err, ErrLost): // of which the result has a status of its own
		u.err = err
	}
}

// reason returns the error that kept every script from being tested; nil if one was, or if only specs and paths are at fault.
func (u *untested) reason() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.tested || u.err == nil {
		return nil
	}
	return fmt.Errorf("nothing could be tested: %w", u.err)
}

// isSpecError reports whether an error is about a spec, and not about the interpreter or the system.
func isSpecError(err error) bool {
	_, invalid := errors.AsType[*ValidationError](err)
	_, field := errors.AsType[*FieldError](err)
	_, unreadable := errors.AsType[*DecodeError](err)
	return invalid || field || unreadable
}
