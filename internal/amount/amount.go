// Package amount shows times, sizes and parts to a person, each in the same way everywhere.
package amount

import (
	"fmt"
	"math"
	"time"
)

// Time shows a time to three digits, and nothing that is not 0 as 0: "0.4ms", "87ms", "1.52s", "2m40s".
func Time(d time.Duration) string {
	switch s := d.Seconds(); {
	case d == 0:
		return "0s"
	case d < 0:
		return "-" + Time(-max(d, -math.MaxInt64))
	case s < 0.0095:
		return fmt.Sprintf("%.1gms", 1000*max(s, 1e-6))
	case s < 0.9995:
		return fmt.Sprintf("%.0fms", 1000*s)
	case s < 59.95:
		return Digits(s) + "s"
	}
	return d.Round(time.Second).String()
}

// Bytes shows a size to three digits: "640 B", "1.5 MiB", "1010 KiB".
func Bytes[N int64 | float64](bytes N) string {
	n := float64(bytes)
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	unit := 0
	for ; n >= 1023.5 && unit < len(units)-1; unit++ {
		n /= 1024
	}
	return Digits(n) + " " + units[unit]
}

// Digits shows a number to three digits, and all of those before the point.
func Digits(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// Part shows a part as a percentage, and never all where it is not all, or nothing where it is something.
func Part(part float64) string {
	switch {
	case part <= 0:
		return "0 %"
	case part >= 1:
		return "100 %"
	}
	return fmt.Sprintf("%.0f %%", min(max(100*part, 1), 99))
}
