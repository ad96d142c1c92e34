package cli

import (
	"fmt"
	"time"
)

// Times and sizes are shown as by internal/amount, of which the command imports nothing; a test compares them.

func shownTime(d time.Duration) string {
	switch s := d.Seconds(); {
	case d <= 0:
		return "0s"
	case s < 0.0095:
		return fmt.Sprintf("%.1gms", 1000*max(s, 1e-6))
	case s < 0.9995:
		return fmt.Sprintf("%.0fms", 1000*s)
	case s < 59.95:
		return fmt.Sprintf("%.3gs", s)
	}
	return d.Round(time.Second).String()
}

func shownBytes(n int64) string {
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	v, unit := float64(n), 0
	for ; v >= 1023.5 && unit < len(units)-1; unit++ {
		v /= 1024
	}
	if v >= 100 {
		return fmt.Sprintf("%.0f %s", v, units[unit])
	}
	return fmt.Sprintf("%.3g %s", v, units[unit])
}
