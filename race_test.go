//go:build race

package scriptspec_test

const raceDetector = true

// goFlags are those for what a test builds, so that it shares the packages which are built already.
var goFlags = []string{"-race"}
