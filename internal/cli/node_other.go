//go:build !unix

package cli

import "os"

func endSignals() map[os.Signal]string { return map[os.Signal]string{os.Interrupt: "an interrupt"} }
