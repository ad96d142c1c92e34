package similarity

// Nearest returns the known name that a misspelt one was probably meant to be, or "" if none is near: half of
// it must be alike, and more of a short one; two neighbours that are swapped are one mistake. Of several spellings of the misspelt name the nearest counts.
func Nearest(known []string, name string, spellings ...string) string {
	const longest = 64 // longer names are not worth the time
	if len(name) > longest {
		return ""
	}
	best, distance := "", max(3, len(name)/4+1)
	for _, want := range known {
		d := editDistance(name, want)
		for _, spelling := range spellings {
			d = min(d, editDistance(spelling, want))
		}
		if isSwapped(name, want) {
			d = 1
		}
		longer := max(len(name), len(want))
		if d < distance && (2*d < longer || 2*d == longer && longer >= 4) {
			best, distance = want, d
		}
	}
	return best
}

// editDistance is the Levenshtein distance in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// Typo returns the known name that a misspelt one can only have been meant to be: the one that is the same but for one letter,
// or two neighbours that are swapped. It is "" if there is none, or more than one. Of several spellings of the misspelt
// name each counts.
func Typo(known []string, name string, spellings ...string) string {
	found := ""
	for _, want := range known {
		for _, spelling := range append(spellings, name) {
			if len(spelling) > len(want)+1 || len(want) > len(spelling)+1 || editDistance(spelling, want) > 1 && !isSwapped(spelling, want) {
				continue
			}
			if found != "" && found != want {
				return ""
			}
			found = want
		}
	}
	return found
}

// isSwapped reports whether two names differ in the order of two neighbours.
func isSwapped(a, b string) bool {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return len(a) == len(b) && i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
