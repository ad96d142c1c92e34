package scriptspec

import (
	"fmt"
	"time"
)

// shortTime shows seconds to three digits, and nothing that is not 0 as 0: "0.4ms", "87ms", "1.52s", "2m40s".
func shortTime(s float64) string {
	switch {
	case s > 0 && s < 0.0095:
		return fmt.Sprintf("%.1gms", 1000*max(s, 1e-6))
	case s < 0.9995:
		return fmt.Sprintf("%.0fms", 1000*s)
	case s < 59.95:
		return threeDigits(s) + "s"
	}
	return fromSeconds(s).Round(time.Second).String()
}

// shortBytes shows a size to three digits: "640 B", "1.5 MiB", "1010 KiB".
func shortBytes(n float64) string {
	unit := 0
	for ; n >= 1023.5 && unit < 4; unit++ {
		n /= 1024
	}
	return threeDigits(n) + " " + [...]string{"B", "KiB", "MiB", "GiB", "TiB"}[unit]
}

// threeDigits shows a number to three digits, and all of those before the point.
func threeDigits(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// shortPart shows a part as a percentage, and never all where it is not all, or nothing where it is something.
func shortPart(part float64) string {
	switch {
	case part <= 0:
		return "0 %"
	case part >= 1:
		return "100 %"
	}
	return fmt.Sprintf("%.0f %%", min(max(100*part, 1), 99))
}

// shortScore shows a number between 0 and 1 to two digits, and only 0 as 0.
func shortScore(v float64) string {
	if v > 0 {
		v = max(v, 0.01)
	}
	return fmt.Sprintf("%.2f", v)
}
