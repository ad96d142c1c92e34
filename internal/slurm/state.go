package slurm

import "strings"

// Status is what squeue says of a job.
type Status struct {
	ID, Name string
	State    State
	Reason   string // Slurm's own word, such as Priority or NodeDown; None
	Nodes    string
}

// State is a job's, as squeue writes it: PENDING, RUNNING, ...
type State string

// Unknown is the state of a job that the cluster does not know, or not any more.
const Unknown State = "UNKNOWN"

// state takes the first word, without the sign that says that there was more: "CANCELLED by 0", "CANCELLED+".
func state(text string) State {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return State(strings.TrimSuffix(word, "+"))
}

// Ended reports whether nothing of a job in this state runs any more, or will.
func (s State) Ended() bool {
	switch s {
	case "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY", "REVOKED":
		return true
	}
	return false
}

// Never returns whether a job will never begin, unless it or the cluster is changed. One that is held, or waits for nodes
// that are down, may begin.
func (s Status) Never() bool {
	if s.State != "PENDING" {
		return false
	}
	switch s.Reason {
	case "PartitionTimeLimit", "PartitionNodeLimit", "BadConstraints", "DependencyNeverSatisfied", "InvalidAccount", "InvalidQOS", "QOSNotAllowed",
		"AccountNotAllowed", "ReservationDeleted", "QOSMaxWallDurationPerJobLimit", "AssocMaxWallDurationPerJobLimit":
		return true
	}
	return false
}

// String returns the state, with the reason where there is one, and where the job was: NODE_FAIL (NodeDown) on n1.
func (s Status) String() string {
	text := string(s.State)
	if s.Reason != "" && s.Reason != "None" {
		text += " (" + s.Reason + ")"
	}
	if s.Nodes != "" {
		text += " on " + s.Nodes
	}
	return text
}
