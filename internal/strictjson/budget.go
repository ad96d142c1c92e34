package strictjson

// budget bounds what a document takes in memory, which may be many times its text: a 16 MiB list of
// empty objects would take 2 GB. The costs are estimates in bytes, the same for reading and writing,
// so that what is written can be read.
type budget struct{ spent int }

const (
	scalarCost = 48  // an interface, its box, and the growth of the list or map that it is in
	objectCost = 350 // a map with its first group
	listCost   = 64

	// Every document may cost freeCost, and a large one costPerByte for each byte of its text.
	freeCost    = 32 << 20
	costPerByte = 10
)

const tooMuch = "more values than a document of its size may have"

// spend reports whether a value fits; kind is {, [ or anything else for a scalar or a name.
func (b *budget) spend(kind byte, size int) bool {
	switch kind {
	case '{':
		b.spent += objectCost
	case '[':
		b.spent += listCost
	default:
		b.spent += scalarCost
	}
	return b.spent <= max(freeCost, costPerByte*size)
}
