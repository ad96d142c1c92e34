package scriptspec

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// FindStore returns the test data directory for OpenStore that is nearest to a directory, "" being the working directory: it,
// its testdata, or the same of a directory above that has specs. The path is absolute. The error is [fs.ErrNotExist] if
// there is none.
func FindStore(dir string) (testDataDir string, err error) {
	from, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := from; ; at = filepath.Dir(at) {
		for _, place := range []string{at, filepath.Join(at, "testdata")} {
			if info, err := os.Stat(filepath.Join(place, specsDir)); err == nil && info.IsDir() {
				return place, nil
			}
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s has no %s, nor has its testdata or a directory above: %w", printable(from), specsDir, fs.ErrNotExist)
		}
	}
}
