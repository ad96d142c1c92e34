package scriptspec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/scriptspec/scriptspec/internal/history"
)

// History is what was recorded of runs in a store: a line of JSON for each attempt, in a file for each month,
// .specs/.history/2026-11.jsonl, which a .gitignore beside it keeps out of git. RuntimeTester.History writes it. Any number
// of goroutines and processes may use it at the same time. A line that was torn off, by a full disk or a power cut, costs no other one.
//
// The files are for other programs too: pandas.read_json(file, lines=True). Their schema is [SchemaHistory].
type History struct {
	store *Store
	lines *history.Index

	mu   sync.Mutex
	err  error // the first failure to write
	lost int   // records that were not written
	git  gitState

	writing  sync.Mutex    // held while patience is used, so that what many goroutines wait adds up to no more
	patience time.Duration // how long the next one waits for others
}

// History returns the history of the store, which is created with its first record.
func (st *Store) History() *History { return &st.history }

// HistoryFilter says which records are meant. Nil means all.
type HistoryFilter struct {
	// Since and Until bound the time of records: from the first one on, and before the second; the zero time is no bound.
	Since, Until time.Time
	// Steps are names of steps; nil means all.
	Steps []string
	// Last is how many of the others are meant, the last ones; 0 means all. What is before them is not read.
	Last int
}

// check refuses bounds between which there is no time.
func (f *HistoryFilter) check() error { return timesInOrder("until", "since", f.Since, f.Until) }

// timesInOrder refuses a bound that is not after another one; the zero time is none.
func timesInOrder(path, after string, first, second time.Time) error {
	if first.IsZero() || second.IsZero() || first.Before(second) {
		return nil
	}
	return fieldErrorf(rank{}, path, CodeFormat, "%s is %s, and not after %s, which is %s", path, second.Format(time.RFC3339), after, first.Format(time.RFC3339))
}

func (f *HistoryFilter) holds(r *Record) bool {
	at := r.At.instant()
	return (f.Since.IsZero() || !at.Before(f.Since)) && (f.Until.IsZero() || at.Before(f.Until)) &&
		(f.Steps == nil || slices.Contains(f.Steps, r.StepName))
}

// HistoryLimits is how much [History.Prune] keeps; 0 is no bound.
type HistoryLimits struct {
	// Age is how old records may be. A month goes as a whole, when all of it is older.
	Age time.Duration
	// Bytes is how large all files may be together. The oldest go first; the newest one, if it is too large alone, loses its first records.
	Bytes int64
}

// Append adds records, each by one write under the lock of the store; nothing is flushed. The errors are a [*FieldError]
// for a record without step, outcome or time, or with a duration that is none, [ErrLocked], and the system's. The first that is not written ends it.
func (h *History) Append(records ...Record) error {
	lines := make([][]byte, len(records))
	for i := range records {
		line, err := records[i].line()
		if err != nil {
			return err
		}
		lines[i] = line
	}
	written := 0
	err := h.write(func(log *history.Log) error {
		for i, line := range lines {
			if err := log.Append(records[i].At.instant(), line, h.store.fileMode); err != nil {
				return err
			}
			written++
		}
		return nil
	})
	if err != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.lost += len(records) - written
		if h.err == nil {
			h.err = err
		}
	}
	return err
}

// Err returns the first error of writing, also of what a tester was to record, with how many records are missing: runs go on
// without them, and whoever shows their results may say so once. It is nil if all was written.
func (h *History) Err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost > 1 {
		return fmt.Errorf("%d records are missing: %w", h.lost, h.err)
	}
	return h.err
}

// lockWait bounds how long a record waits for others. The next one waits half as long, down to a moment, until one is written: while a
// history is locked, runs wait for twice as long in all, and for no more than moments after that.
const (
	lockWait   = time.Second
	lockMoment = time.Millisecond
)

// write calls do with the log, which is made if necessary, under the lock of the store.
func (h *History) write(do func(*history.Log) error) error {
	files, err := h.store.open(false)
	if errors.Is(err, fs.ErrNotExist) {
		files, err = h.store.open(true)
	}
	if err != nil {
		return h.failed("open", err)
	}
	h.writing.Lock()
	defer h.writing.Unlock()
	unlock, err := h.store.lockFor(context.Background(), files, min(h.patience, h.store.lockTimeout))
	if err != nil {
		if errors.Is(err, ErrLocked) {
			h.patience = max(h.patience/2, lockMoment)
		}
		return h.failed("lock", err)
	}
	defer unlock()
	h.patience = lockWait
	log, err := history.Open(files, true, h.store.dirMode)
	if err != nil {
		return h.failed("open", err)
	}
	err = do(log)
	return h.failed("write", errors.Join(err, log.Close()))
}

// failed names the directory in an error.
func (h *History) failed(op string, err error) error { return atPath(op, err, h.dir()) }

func (h *History) dir() string { return filepath.Join(h.store.specs, history.DirName) }

// Records iterates over the records, month by month, and in each in the order in which they were written. A file with lines that are
// no records, torn off or foreign, yields a [*DecodeError] that counts them, and one that cannot be read its error; the
// others go on. There are none where there is no history. A filter with an Until that is not after its Since yields a [*FieldError] alone.
func (h *History) Records(f *HistoryFilter) iter.Seq2[Record, error] {
	if f == nil {
		f = &HistoryFilter{}
	}
	return func(yield func(Record, error) bool) {
		if err := f.check(); err != nil {
			yield(Record{}, err)
			return
		}
		if f.Last > 0 {
			h.last(f, yield)
			return
		}
		skipped := map[string]*skippedLines{}
		for d, err := range h.read(f.Since, true, skipped) {
			switch {
			case err != nil:
				if !yield(Record{}, err) {
					return
				}
			case f.holds(&d.Record):
				if !yield(d.Record, nil) {
					return
				}
			}
		}
		for _, file := range sortedKeys(skipped) {
			if !yield(Record{}, skipped[file].err(file)) {
				return
			}
		}
	}
}

// read iterates over all records of the months from one on, whole or without their outputs. Each is valid until the next is
// asked for. Lines that are none go to skipped, by file.
func (h *History) read(since time.Time, whole bool, skipped map[string]*skippedLines) iter.Seq2[*recordDecoder, error] {
	return func(yield func(*recordDecoder, error) bool) {
		files, err := h.store.open(false)
		if err == nil {
			var log *history.Log
			if log, err = history.Open(files, false, 0); err == nil {
				defer log.Close() //nolint:errcheck // nothing was written
				h.decode(log.Lines(since), whole, skipped, yield)
				return
			}
		}
		if !errors.Is(err, fs.ErrNotExist) {
			yield(nil, h.failed("open", err))
		}
	}
}

func (h *History) decode(lines iter.Seq2[history.Line, error], whole bool, skipped map[string]*skippedLines, yield func(*recordDecoder, error) bool) {
	d := &recordDecoder{texts: history.Texts{}, whole: whole}
	for line, err := range lines {
		switch {
		case err != nil:
			if !yield(nil, atPath("read", err, filepath.Join(h.dir(), line.File))) {
				return
			}
		case d.read(line.Text):
			if !yield(d, nil) {
				return
			}
		default:
			file := filepath.Join(h.dir(), line.File)
			if skipped[file] == nil {
				skipped[file] = &skippedLines{first: line.Number}
			}
			skipped[file].count++
		}
	}
}

// last yields the last records, and before them what could not be read on the way.
func (h *History) last(f *HistoryFilter, yield func(Record, error) bool) {
	files, err := h.store.open(false)
	var log *history.Log
	if err == nil {
		log, err = history.Open(files, false, 0)
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			yield(Record{}, h.failed("open", err))
		}
		return
	}
	defer log.Close() //nolint:errcheck // nothing was written
	skipped := map[string]*skippedLines{}
	var found []Record
	more := true
	h.decode(log.Backward(f.Since), true, skipped, func(d *recordDecoder, err error) bool {
		if err != nil {
			more = yield(Record{}, err)
		} else if f.holds(&d.Record) {
			found = append(found, d.Record)
		}
		return more && len(found) < f.Last
	})
	for _, r := range slices.Backward(found) {
		if more = more && yield(r, nil); !more {
			return
		}
	}
	for _, file := range sortedKeys(skipped) {
		if more = more && yield(Record{}, skipped[file].err(file)); !more {
			return
		}
	}
}

// skippedLines are the lines of a file that are no records.
type skippedLines struct{ first, count int }

func (s *skippedLines) err(file string) error {
	e := &DecodeError{File: file, Line: s.first, Column: 1, Message: "is no record of a history, and was skipped"}
	switch {
	case s.first == 0 && s.count > 1:
		e.Message = fmt.Sprintf("%d of its last lines are no records of a history, and were skipped", s.count)
	case s.first == 0:
		e.Message = "one of its last lines is no record of a history, and was skipped"
	case s.count > 1:
		e.Message = fmt.Sprintf("is the first of %d lines that are no records of a history, and were skipped", s.count)
	}
	return e
}

// Prune drops old records, and returns how many bytes they took.
func (h *History) Prune(ctx context.Context, keep HistoryLimits) (freed int64, err error) {
	files, err := h.store.open(false)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, h.failed("open", err)
	}
	limits := history.Limits{Bytes: max(keep.Bytes, 0)}
	if keep.Age > 0 {
		limits.Since = time.Now().Add(-keep.Age)
	}
	log, err := history.Open(files, false, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, h.failed("open", err)
	}
	defer log.Close() //nolint:errcheck // what was written is in place
	unlock, err := h.store.lock(ctx, files)
	if err != nil {
		return 0, h.failed("prune", err)
	}
	defer unlock()
	freed, err = log.Prune(limits)
	return freed, h.failed("prune", err)
}
