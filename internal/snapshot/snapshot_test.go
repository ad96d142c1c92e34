package snapshot

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/scriptspec/scriptspec/internal/fsaccess"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(t *testing.T, dir string)
		hash   bool
		want   []string
	}{
		"nothing": {func(*testing.T, string) {}, true, nil},
		"changed": {func(t *testing.T, dir string) { write(t, dir+"/a.csv", "longer") }, false, []string{"changed a.csv"}},
		"deleted": {func(t *testing.T, dir string) { require.NoError(t, os.Remove(dir+"/deep/b.csv")) }, false, []string{"deleted deep/b.csv"}},
		"added": {func(t *testing.T, dir string) {
			write(t, dir+"/c.csv", "")
			write(t, dir+"/c.csv.tmp", "")
			write(t, dir+"/.cache/x", "")
		}, false, []string{"added c.csv"}},
		"moved": {func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(dir+"/a.csv", dir+"/z.csv"))
		}, false, []string{"added z.csv", "deleted a.csv"}},
		"excepted": {func(t *testing.T, dir string) { write(t, dir+"/out/x", "") }, false, nil},
		"time only": {func(t *testing.T, dir string) {
			require.NoError(t, os.Chmod(dir+"/a.csv", 0o640))
		}, false, nil},
		"hidden change": {hideChange, true, []string{"changed a.csv"}},
		"not asked for": {hideChange, false, nil},
		"gone":          {func(t *testing.T, dir string) { require.NoError(t, os.RemoveAll(dir)) }, false, []string{"deleted a.csv", "deleted deep/b.csv"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "in")
			write(t, filepath.Join(dir, "a.csv"), "1,2\n")
			write(t, filepath.Join(dir, "deep", "b.csv"), "1,2\n")
			before := Input(dir, test.hash)
			test.change(t, dir)
			var got []string
			for _, d := range before.Differences(test.hash, filepath.Join(dir, "out")) {
				got = append(got, d.String())
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// hideChange leaves size and time of a file as they were.
func hideChange(t *testing.T, dir string) {
	t.Helper()
	file := filepath.Join(dir, "a.csv")
	info, err := os.Stat(file)
	require.NoError(t, err)
	write(t, file, "2,1\n")
	require.NoError(t, os.Chtimes(file, info.ModTime(), info.ModTime()))
}

// An input that is a link is another one when the link leads elsewhere.
func TestInputBehindALink(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		do   func(t *testing.T, link string)
		want []Difference
	}{
		"as it was": {func(*testing.T, string) {}, nil},
		"removed":   {func(t *testing.T, link string) { require.NoError(t, os.Remove(link)) }, []Difference{{"deleted", "."}}},
		"turned": {func(t *testing.T, link string) {
			require.NoError(t, os.Remove(link))
			require.NoError(t, os.Symlink("v2", link))
		}, []Difference{{"changed", "."}}},
		"made a directory": {func(t *testing.T, link string) {
			require.NoError(t, os.Remove(link))
			require.NoError(t, os.Mkdir(link, 0o700))
		}, []Difference{{"changed", "."}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "v1", "a.csv"), "1")
			write(t, filepath.Join(dir, "v2", "a.csv"), "1")
			link := filepath.Join(dir, "data")
			if os.Symlink("v1", link) != nil {
				t.Skip("needs links")
			}
			before := Input(link, false)
			test.do(t, link)
			assert.Equal(t, test.want, before.Differences(false))
		})
	}
}

func TestChangeOfASingleFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "raw.txt")
	write(t, file, "raw")
	before := Input(file, false)
	_, _, changed := before.Change()
	assert.False(t, changed)
	digest := Input(file, false).Digest()
	assert.Equal(t, digest, before.Digest())

	write(t, file, "other")
	where, what, changed := before.Change()
	assert.True(t, changed)
	assert.Equal(t, before.Top(), where)
	assert.Equal(t, "was changed", what)
	assert.Equal(t, []Difference{{"changed", "."}}, before.Differences(false))
	assert.NotEqual(t, digest, Input(file, false).Digest())
	require.NoError(t, os.Remove(file))
	_, what, _ = before.Change()
	assert.Equal(t, "is gone", what)
}

// Links, directories and what is behind links are part of an input.
func TestDifferencesOfLinksAndDirectories(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(t *testing.T, dir string)
		want   []string
	}{
		"nothing":                   {func(*testing.T, string) {}, nil},
		"link deleted":              {func(t *testing.T, dir string) { require.NoError(t, os.Remove(dir+"/in/link.csv")) }, []string{"deleted link.csv"}},
		"link re-pointed":           {relink("link.csv", "../other/equal.csv"), []string{"changed link.csv"}},
		"link replaced by a copy":   {copyOver("link.csv", "../other/a.csv"), []string{"changed link.csv"}},
		"directory link re-pointed": {relink("lake", "../beside"), []string{"changed lake", "deleted lake/a.csv", "deleted lake/equal.csv", "deleted lake/round"}},
		"behind a directory link":   {func(t *testing.T, dir string) { write(t, dir+"/other/a.csv", "longer") }, []string{"changed lake/a.csv", "changed link.csv"}},
		"empty directory deleted":   {func(t *testing.T, dir string) { require.NoError(t, os.Remove(dir+"/in/empty")) }, []string{"deleted empty"}},
		"empty directory added":     {func(t *testing.T, dir string) { require.NoError(t, os.Mkdir(dir+"/in/new", 0o700)) }, []string{"added new"}},
		"directory added":           {func(t *testing.T, dir string) { write(t, dir+"/in/new/deep/x", "") }, []string{"added new/deep/x"}},
		"link to the machine added": {func(t *testing.T, dir string) { require.NoError(t, os.Symlink("/", dir+"/in/root")) }, []string{"added root"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir+"/other/a.csv", "1,2\n")
			write(t, dir+"/other/equal.csv", "1,2\n")
			require.NoError(t, os.MkdirAll(dir+"/beside", 0o700))
			require.NoError(t, os.MkdirAll(dir+"/in/empty", 0o700))
			if os.Symlink("../other/a.csv", dir+"/in/link.csv") != nil {
				t.Skip("needs links")
			}
			require.NoError(t, os.Symlink("../other", dir+"/in/lake"))
			require.NoError(t, os.Symlink(".", dir+"/other/round"))
			before := Input(dir+"/in", false, resolved(dir))
			require.NoError(t, before.Err)
			test.change(t, dir)
			var got []string
			for _, d := range before.Differences(false) {
				got = append(got, d.String())
			}
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.want == nil, before.Digest() == Input(dir+"/in", false, resolved(dir)).Digest())
		})
	}
}

func relink(name, target string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		require.NoError(t, os.Remove(dir+"/in/"+name))
		require.NoError(t, os.Symlink(target, dir+"/in/"+name))
	}
}

func copyOver(name, from string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		info, err := os.Stat(dir + "/in/" + from)
		require.NoError(t, err)
		require.NoError(t, os.Remove(dir+"/in/"+name))
		write(t, dir+"/in/"+name, "1,2\n")
		require.NoError(t, os.Chtimes(dir+"/in/"+name, info.ModTime(), info.ModTime()))
	}
}

// A walk stays where it is allowed to be, and comes to an end.
func TestBounds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if os.Symlink("/", filepath.Join(dir, "root")) != nil {
		t.Skip("needs links")
	}
	for _, s := range []Snapshot{Input(dir, false), Written(dir)} {
		be, ok := errors.AsType[*BoundsError](s.Err)
		require.True(t, ok)
		assert.Equal(t, BoundsError{filepath.Join(resolved(dir), "root"), "leads out of the directory: /"}, BoundsError{resolved(be.Path[:len(be.Path)-len("/root")]) + "/root", be.Rule})
		assert.Empty(t, s.Content(t.Context(), 1<<30))
	}
	deep := t.TempDir()
	root, err := os.OpenRoot(deep)
	require.NoError(t, err)
	for range 50 {
		name := strings.Repeat("d", 200)
		require.NoError(t, root.Mkdir(name, 0o700))
		next, err := root.OpenRoot(name)
		require.NoError(t, err)
		require.NoError(t, root.Close())
		root = next
	}
	require.NoError(t, root.Close())
	assert.ErrorContains(t, Input(deep, false).Err, "is nested more deeply than the paths of the system reach")
	before := OutputDir(deep)
	defer before.Close()
	assert.ErrorContains(t, before.Err, "is nested more deeply")
}

func TestContent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "a.csv")
	write(t, file, "1,2\n")
	first := Input(dir, false)
	digest := first.Digest()
	digest.Content = first.Content(t.Context(), 4)
	require.NotEmpty(t, digest.Content)
	assert.Empty(t, first.Content(t.Context(), 3), "too much")
	require.NoError(t, os.Chtimes(file, time.Unix(1, 0), time.Unix(1, 0)))
	touched := Input(dir, false)
	assert.NotEqual(t, digest.Stamp, touched.Digest().Stamp)
	assert.True(t, touched.Is(t.Context(), digest, 4))
	assert.False(t, touched.Is(t.Context(), Digest{Stamp: digest.Stamp}, 4))
	write(t, file, "2,1\n")
	assert.False(t, Input(dir, false).Is(t.Context(), digest, 4))
}

func TestOutput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "old.csv"), "1")
	before := OutputDir(dir)
	defer before.Close()
	assert.Equal(t, Output{Path: dir, Exists: true, Files: 1, Bytes: 1}, outputOf(t, before))
	for _, name := range []string{"a.tmp", ".hidden", "b~", "__pycache__/x.pyc", "deep/d.temp", "e.swp"} {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), "x")
	}
	write(t, filepath.Join(dir, "empty"), "")
	write(t, filepath.Join(dir, "deep", "new.csv"), "22")
	assert.Equal(t, Output{Path: dir, Exists: true, Files: 3, Bytes: 3, Written: 1}, outputOf(t, before))
	if os.Symlink(filepath.Join(dir, "old.csv"), filepath.Join(dir, "link.csv")) == nil {
		assert.Equal(t, 3, outputOf(t, before).Files, "a link is not data")
	}
	require.NoError(t, os.RemoveAll(dir))
	assert.Equal(t, Output{Path: dir}, outputOf(t, before))
}

func outputOf(t *testing.T, b *Before) Output {
	t.Helper()
	out, elsewhere, err := b.Output()
	require.NoError(t, err)
	assert.Empty(t, elsewhere)
	return out
}

// An old file counts as written if its content was, whatever else was done to it.
func TestWritten(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere times decide")
	}
	for name, test := range map[string]struct {
		do   func(t *testing.T, dir string)
		want int
	}{
		"nothing":   {func(*testing.T, string) {}, 0},
		"chmod":     {func(t *testing.T, dir string) { require.NoError(t, os.Chmod(dir+"/old.csv", 0o640)) }, 0},
		"touch":     {func(t *testing.T, dir string) { require.NoError(t, os.Chtimes(dir+"/old.csv", time.Now(), time.Now())) }, 0},
		"hard link": {func(t *testing.T, dir string) { require.NoError(t, os.Link(dir+"/old.csv", dir+"/new.csv")) }, 0},
		"rename":    {func(t *testing.T, dir string) { require.NoError(t, os.Rename(dir+"/old.csv", dir+"/old.1")) }, 0},
		"rotated": {func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(dir+"/old.csv", dir+"/old.1"))
			write(t, dir+"/old.csv", "22")
		}, 1},
		"written anew":   {func(t *testing.T, dir string) { write(t, dir+"/old.csv", "1") }, 1},
		"written deeper": {func(t *testing.T, dir string) { write(t, dir+"/deep/old.csv", "1") }, 1},
		"times restored": {func(t *testing.T, dir string) {
			write(t, dir+"/old.csv", "1")
			require.NoError(t, os.Chtimes(dir+"/old.csv", time.Unix(9, 0), time.Unix(9, 0)))
		}, 1},
		"replaced": {func(t *testing.T, dir string) {
			write(t, dir+"/.x", "1")
			require.NoError(t, os.Rename(dir+"/.x", dir+"/old.csv"))
		}, 1},
		"written, moved": {func(t *testing.T, dir string) {
			write(t, dir+"/old.csv", "1")
			require.NoError(t, os.Rename(dir+"/old.csv", dir+"/new.csv"))
		}, 1},
		"cleared, written": {func(t *testing.T, dir string) {
			for range 20 { // of which one has the inode number of the old file
				require.NoError(t, os.RemoveAll(dir+"/old.csv"))
				write(t, dir+"/old.csv", "1")
			}
		}, 1},
		"directory cleared": {func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(dir))
			write(t, dir+"/old.csv", "1")
		}, 1},
		"removed, made by another name": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(dir+"/old.csv"))
			write(t, dir+"/old.tmp", "1")
			require.NoError(t, os.Rename(dir+"/old.tmp", dir+"/old.csv"))
		}, 1},
		"rolled back": {func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(dir+"/old.csv", dir+"/old.csv.bak"))
			write(t, dir+"/old.csv", "half")
			require.NoError(t, os.Rename(dir+"/old.csv.bak", dir+"/old.csv"))
		}, 0},
		"temporary file renamed": {func(t *testing.T, dir string) { require.NoError(t, os.Rename(dir+"/half.tmp", dir+"/half")) }, 0},
		"temporary file finished": {func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(dir+"/half.tmp", dir+"/half"))
			write(t, dir+"/half", "1")
		}, 1},
		"moved deeper and touched": {func(t *testing.T, dir string) {
			require.NoError(t, os.Mkdir(dir+"/v", 0o700))
			require.NoError(t, os.Rename(dir+"/old.csv", dir+"/v/old.csv"))
			require.NoError(t, os.Chtimes(dir+"/v/old.csv", time.Now(), time.Now()))
		}, 0},
		"from elsewhere": {func(t *testing.T, dir string) { require.NoError(t, os.Link(dir+"/../elsewhere.csv", dir+"/new.csv")) }, 0},
		"only room": {func(t *testing.T, dir string) {
			write(t, dir+"/new.csv", "")
			require.NoError(t, os.Truncate(dir+"/new.csv", 1<<20))
		}, 0},
		"moved, written": {func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(dir+"/old.csv", dir+"/new.csv"))
			write(t, dir+"/new.csv", "1")
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "out")
			for _, file := range []string{"old.csv", "deep/old.csv", "half.tmp", "../elsewhere.csv"} {
				write(t, filepath.Join(dir, file), "1")
				require.NoError(t, os.Chtimes(filepath.Join(dir, file), time.Unix(9, 0), time.Unix(9, 0)))
			}
			before := OutputDir(dir)
			defer before.Close()
			before.Settle(true)
			test.do(t, dir)
			assert.Equal(t, test.want, outputOf(t, before).Written)
		})
	}
}

// A link that is the output may be turned to another directory beside the first, and nowhere else.
func TestOutputBehindALink(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		do        func(t *testing.T, dir string)
		written   int
		elsewhere string
	}{
		"new version": {func(t *testing.T, dir string) { write(t, dir+"/models/v2/m", "new"); turn(t, dir, "v2") }, 1, ""},
		"old version": {func(t *testing.T, dir string) { turn(t, dir, "v0") }, 0, ""},
		"away":        {func(t *testing.T, dir string) { turn(t, dir, "../data") }, 0, "data"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := resolved(t.TempDir())
			for _, file := range []string{"models/v0/m", "models/v1/m", "data/x"} {
				write(t, filepath.Join(dir, file), "1")
				require.NoError(t, os.Chtimes(filepath.Join(dir, file), time.Unix(9, 0), time.Unix(9, 0)))
			}
			if os.Symlink("v1", dir+"/models/latest") != nil {
				t.Skip("needs links")
			}
			before := OutputDir(dir + "/models/latest")
			defer before.Close()
			before.Settle(true)
			test.do(t, dir)
			out, elsewhere, err := before.Output()
			require.NoError(t, err)
			assert.Equal(t, test.written, out.Written)
			assert.Equal(t, test.elsewhere == "", out.Exists)
			if test.elsewhere != "" {
				assert.Equal(t, filepath.Join(dir, test.elsewhere), elsewhere)
			}
		})
	}
}

func turn(t *testing.T, dir, target string) {
	t.Helper()
	require.NoError(t, os.Remove(dir+"/models/latest"))
	require.NoError(t, os.Symlink(target, dir+"/models/latest"))
}

// To wait for the next tick is needed only where a file is of this one; and what was made before this one is old.
func TestSettleWhereItMatters(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "old.csv"), "1")
	for settled := true; settled; { // until the clock of files has gone on
		before := OutputDir(dir)
		before.Settle(false)
		settled = before.settled
		before.Close()
	}
	write(t, filepath.Join(dir, "new.csv"), "1")
	before := OutputDir(dir)
	defer before.Close()
	before.tick = before.tick.Add(-time.Hour) // as if all were of this tick
	before.Settle(false)
	assert.True(t, before.settled)

	parts := t.TempDir()
	write(t, filepath.Join(parts, "half.tmp"), "1") // is no data yet, and would be by another name
	withParts := OutputDir(parts)
	defer withParts.Close()
	withParts.Settle(false)
	assert.True(t, withParts.settled)

	past := &Before{taken: time.Now(), tick: fsaccess.Now()}
	assert.False(t, past.since(past.tick.Add(-time.Millisecond).UnixNano()+1))
	assert.True(t, past.since(past.tick.UnixNano()+1))
}
