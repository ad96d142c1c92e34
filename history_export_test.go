package scriptspec

// PastOf returns what the history has of a step, or of an example of it.
func (h *History) PastOf(step, example string) PastRuns { return h.recent().of(step, example) }

// AskGit waits for what git says of the store.
func (h *History) AskGit() {
	h.git.ask(h.store.dir)
	<-h.git.pending
}
