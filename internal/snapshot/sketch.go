package snapshot

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"
	"slices"
	"strings"
)

const (
	sketched  = 16      // files of which the contents count
	sketchEnd = 4 << 10 // bytes at the beginning, and at the end, of one of them
)

// Sketch returns a digest of data that costs next to nothing, however much there is, and how many bytes there are: names
// and sizes of all files, and the first and last 4 KiB of the first 16 by name. Data that differs in the middle of large files alone
// has one sketch. Where the files are, and how old they are, does not count. It is "" for what could not be read.
func (s Snapshot) Sketch() (digest string, bytes int64) {
	if s.Err != nil || len(s.Unreadable) > 0 {
		return "", 0
	}
	var sum uint64 // of a hash for each file, so that they need not be sorted
	var first []string
	for name, f := range s.files {
		if f.kind.IsDir() || name != "." && isTemporary(name, false) {
			continue
		}
		sum += hashOf(name, f.size)
		bytes += f.size
		if !f.kind.IsRegular() || f.size == 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(first, name, cmp.Compare[string])
		if at < sketched {
			first = slices.Insert(first, at, strings.Clone(name))
			first = first[:min(len(first), sketched)]
		}
	}
	h := sha256.New()
	h.Write(binary.LittleEndian.AppendUint64(nil, sum))
	for _, name := range first {
		if err := s.sketchFile(h, name); err != nil {
			return "", bytes
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), bytes
}

func (s Snapshot) sketchFile(w io.Writer, name string) error {
	f, err := os.Open(s.file(name))
	if err != nil {
		return err
	}
	defer f.Close()
	size := s.files[name].size
	for _, part := range [][2]int64{{0, min(size, sketchEnd)}, {max(size-sketchEnd, sketchEnd), sketchEnd}} {
		if _, err := io.Copy(w, io.NewSectionReader(f, part[0], part[1])); err != nil {
			return err
		}
	}
	return nil
}

// hashOf is FNV-1a of a name and a size.
func hashOf(name string, size int64) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * prime
	}
	for range 8 {
		h = (h ^ uint64(size&0xff)) * prime
		size >>= 8
	}
	return h
}
