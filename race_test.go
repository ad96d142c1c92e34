//go:build race

package scriptspec_test

const raceDetector = true
