package scriptspec

import "cmp"

// ColdRuns reports which of records, in the order of time, are the first of several of a step, or of an example of it, in one session and one
// pipeline or none.
// They started cold, as warm interpreters do not, and [Stats] compares them with nothing.
func ColdRuns(records []Record) []bool {
	type row struct {
		session string
		of      pastKey
	}
	rows := make([]row, len(records))
	for i, r := range records {
		if session := r.coldIn(); session != "" {
			rows[i] = row{session, r.key()}
		}
	}
	return firsts(rows)
}

// coldIn returns the session of which the first run is cold: the run itself where none is known, and "" for a warm one.
func (r *Record) coldIn() string {
	if r.Warm {
		return ""
	}
	return cmp.Or(r.Session, r.Run)
}

// firsts reports which keys are the first of two or more that are equal. The zero key is none.
func firsts[K comparable](keys []K) []bool {
	var none K
	first, seen := make([]bool, len(keys)), map[K]int{}
	for i, key := range keys {
		if key == none {
			continue
		}
		if before, again := seen[key]; again {
			first[before] = true
		} else {
			seen[key] = i
		}
	}
	return first
}
