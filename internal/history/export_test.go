package history

import "os"

// Looked returns how much of the files has been looked at for keys.
func (x *Index) Looked() (bytes int64) {
	for _, m := range x.months {
		bytes += m.end - m.begin
	}
	return bytes
}

// Count returns how many lines have a key, for which all of the files are looked at.
func (x *Index) Count(l *Log, key []string) (lines int, err error) {
	err = x.walk(l, key, func(*os.File, int64) bool {
		lines++
		return true
	})
	return lines, err
}
