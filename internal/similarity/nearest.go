package similarity

// Nearest returns the known name that a misspelt one was probably meant to be, or "" if none is near: half of
// it must be alike, and more of a short one. Of several spellings of the misspelt name the nearest counts.
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
