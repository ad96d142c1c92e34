package history

// Looked returns how much of the files has been looked at for keys.
func (x *Index) Looked() (bytes int64) {
	for _, m := range x.months {
		bytes += m.end - m.begin
	}
	return bytes
}
