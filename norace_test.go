//go:build !race

package scriptspec_test

const raceDetector = false

var goFlags []string
