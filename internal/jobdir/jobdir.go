// Package jobdir is how a driver and the helper of a job talk to each other, through files of one directory on a
// file system that both see: a request, which one helper takes; the word that it has begun; and its reply, which is
// there as a whole or not at all.
package jobdir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/scriptspec/scriptspec/internal/fsaccess"
)

// Dir is the path of a job's directory.
type Dir string

// The files.
const (
	requestFile = "request.json"
	takenFile   = "request.taken"
	recordFile  = "job"
	begunFile   = "begun"
	replyFile   = "result.json"
	logFile     = "job.log"
)

// ErrTaken is returned for a request that another helper has taken, or that was withdrawn.
var ErrTaken = errors.New("the request is not there: another job has taken it, or it was withdrawn")

// Record is what a driver needs to find its job again. Drivers of other versions may read it.
type Record struct {
	Version int    `json:"version"`
	Name    string `json:"name"`
	// ID is "" until the job is known to have been submitted.
	ID string `json:"id"`
	// Digest is of what was asked for.
	Digest string `json:"digest"`
}

// Begun says which helper has taken the request.
type Begun struct {
	Job  string `json:"job"`
	Host string `json:"host"`
	PID  int    `json:"pid"`
}

const private, privateDir = 0o600, 0o700

// Create makes the directory for the next attempt in one of its own, which it makes if need be.
func Create(parent string) (Dir, error) {
	if err := os.MkdirAll(parent, privateDir); err != nil {
		return "", err
	}
	for number := len(All(parent)) + 1; ; number++ {
		dir := filepath.Join(parent, strconv.Itoa(number))
		err := os.Mkdir(dir, privateDir)
		if !errors.Is(err, fs.ErrExist) {
			return Dir(dir), err
		}
	}
}

// All returns the attempts in a directory, the last one first.
func All(parent string) []Dir {
	entries, _ := os.ReadDir(parent) // there may be none
	var numbers []int
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && e.IsDir() {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	slices.Reverse(numbers)
	dirs := make([]Dir, len(numbers))
	for i, n := range numbers {
		dirs[i] = Dir(filepath.Join(parent, strconv.Itoa(n)))
	}
	return dirs
}

func (d Dir) file(name string) string { return filepath.Join(string(d), name) }

// Log is the file for what Slurm and the helper print.
func (d Dir) Log() string { return d.file(logFile) }

// Remove removes the directory.
func (d Dir) Remove() error { return fsaccess.RemoveTree(string(d)) }

// Withdraw ends what the helper does, within a second or two, and leaves no request for one that has not begun.
func (d Dir) Withdraw() error {
	return errors.Join(remove(d.file(requestFile)), remove(d.file(takenFile)), remove(d.file(begunFile)))
}

// Withdrawn reports whether what a helper has begun was withdrawn. A file system that fails does not say that.
func (d Dir) Withdrawn() bool {
	_, err := os.Lstat(d.file(begunFile))
	return errors.Is(err, fs.ErrNotExist)
}

func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// SetRequest writes the request, which only its owner can read.
func (d Dir) SetRequest(data []byte) error { return d.replace(requestFile, data, false) }

// TakeRequest returns the request and removes it, since there are secrets in it. Of several helpers one has it.
func (d Dir) TakeRequest() ([]byte, error) {
	if err := os.Rename(d.file(requestFile), d.file(takenFile)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			if _, err := os.Stat(string(d)); err != nil {
				return nil, fmt.Errorf("the directory of the job is not on this node: %w", err)
			}
			return nil, ErrTaken
		}
		return nil, err
	}
	data, err := os.ReadFile(d.file(takenFile))
	return data, errors.Join(err, os.Remove(d.file(takenFile)))
}

// SetRecord replaces the record.
func (d Dir) SetRecord(r Record) error { return d.write(recordFile, r) }

// Record returns the record, if there is one.
func (d Dir) Record() (r Record, ok bool) {
	ok = d.read(recordFile, &r)
	return r, ok
}

// SetBegun says that the helper has taken the request.
func (d Dir) SetBegun(b Begun) error { return d.write(begunFile, b) }

// Begun returns which helper has taken the request, if one has.
func (d Dir) Begun() (b Begun, ok bool) {
	ok = d.read(begunFile, &b)
	return b, ok
}

// SetReply writes the reply.
func (d Dir) SetReply(data []byte) error { return d.replace(replyFile, data, true) }

// Reply returns the reply, if it is there. The directory is read first, so that a network file system asks its
// server.
func (d Dir) Reply() (data []byte, ok bool, err error) {
	entries, err := os.ReadDir(string(d))
	if err != nil || !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == replyFile }) {
		return nil, false, err
	}
	data, err = os.ReadFile(d.file(replyFile))
	return data, err == nil, err
}

func (d Dir) write(name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return d.replace(name, append(data, '\n'), false)
}

func (d Dir) read(name string, v any) bool {
	data, err := os.ReadFile(d.file(name))
	return err == nil && json.Unmarshal(data, v) == nil
}

// replace writes a file under a temporary name and renames it. What need not survive a power cut, which ends its job
// too, is not flushed to the disk.
func (d Dir) replace(name string, data []byte, flush bool) error {
	f, err := os.OpenFile(d.file(name+".tmp"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, private)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if flush && err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(d.file(name+".tmp"), d.file(name))
}
