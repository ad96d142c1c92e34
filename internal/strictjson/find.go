package strictjson

// Find returns where in a document the value at a path begins, or, if there is none, the value that is nearest above it;
// found reports which. The document may be broken behind that.
func Find(data []byte, path []Step) (offset int64, found bool) {
	var r Reader
	r.Reset(data)
	offset = r.Here()
	for _, step := range path {
		if !r.enter(step) {
			return offset, false
		}
		offset = r.Here()
	}
	return offset, true
}

// Span returns where in a document the value at a path begins and ends, and whether there is one.
func Span(data []byte, path []Step) (start, end int64, found bool) {
	var r Reader
	r.Reset(data)
	for _, step := range path {
		if !r.enter(step) {
			return 0, 0, false
		}
	}
	start = r.Here()
	r.Skip()
	return start, r.dec.InputOffset(), !r.broken
}

// Members returns where the value of each member of the object at the top begins and ends.
func Members(data []byte) map[string][2]int64 {
	var r Reader
	r.Reset(data)
	spans := map[string][2]int64{}
	if r.Kind() != '{' || !r.Object() {
		return spans
	}
	for text, more := r.Name(); more; text, more = r.Name() {
		name := r.Text(text)
		start := r.Here()
		r.Skip()
		spans[name] = [2]int64{start, r.dec.InputOffset()}
	}
	return spans
}

// enter goes to the value of a member or an item of the value that comes next.
func (r *Reader) enter(step Step) bool {
	if step.Name == nil {
		if r.Kind() != '[' || !r.Array() {
			return false
		}
		for i := int64(0); r.More(); i++ {
			if i == step.Index {
				return true
			}
			r.Skip()
		}
		return false
	}
	if r.Kind() != '{' || !r.Object() {
		return false
	}
	for name, more := r.Name(); more; name, more = r.Name() {
		if r.Text(name) == *step.Name {
			return true
		}
		r.Skip()
	}
	return false
}
