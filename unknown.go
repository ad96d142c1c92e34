package scriptspec

import "strings"

// unsafeName reports whether a script name could do harm in a path. Names that are merely not in
// snake_case load, so that AutoFixCommonIssues can mend them.
func unsafeName(s string) bool {
	const longest = 255 // of any file name
	if strings.Trim(s, ".") == "" && s != "" || s != strings.TrimSpace(s) || len(s) > longest {
		return true
	}
	for _, c := range []byte(s) {
		if c <= 0x1f || c >= 0x7f || c == '/' || c == '\\' || c == ':' {
			return true
		}
	}
	return false
}

// nearest returns the known name that a misspelt one was meant to be, or "".
func nearest(name string, known []string) string {
	if len(name) > 64 {
		return ""
	}
	plain := toSnakeCase(name, defaultReplacer)
	best, distance := "", max(3, len(name)/4+1)
	for _, want := range known {
		if d := min(editDistance(name, want), editDistance(plain, want)); d < distance {
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
