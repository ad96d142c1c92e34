// Package graph orders the numbered nodes of a directed graph.
package graph

import (
	"math"
	"slices"
	"time"
)

// Graph is a directed graph of the nodes 0 to n-1.
type Graph struct {
	edges    [][2]int
	incoming []int // edges that lead to each node
	ends     []int // of the part of next that is a node's
	next     []int
}

// New returns the graph with so many nodes and these edges, from the first node of each to the second.
func New(nodes int, edges [][2]int) *Graph {
	g := &Graph{edges: edges, incoming: make([]int, nodes), ends: make([]int, nodes+1), next: make([]int, len(edges))}
	for _, e := range edges {
		g.ends[e[0]+1]++
		g.incoming[e[1]]++
	}
	for i := range nodes {
		g.ends[i+1] += g.ends[i]
	}
	used := make([]int, nodes)
	for _, e := range edges {
		g.next[g.ends[e[0]]+used[e[0]]] = e[1]
		used[e[0]]++
	}
	return g
}

// Next returns the nodes that the edges of a node lead to, in the order of the edges. The caller must not
// change them.
func (g *Graph) Next(node int) []int { return g.next[g.ends[node]:g.ends[node+1]] }

// Order returns the nodes in topological order: every edge leads forward, and of the nodes that could come
// next the lowest does. If there is none it returns a cycle instead, in the order of its edges, from its
// lowest node on.
func (g *Graph) Order() (order, cycle []int) {
	waiting := slices.Clone(g.incoming)
	var ready Queue
	for node, n := range waiting {
		if n == 0 {
			ready.Push(node)
		}
	}
	order = make([]int, 0, len(waiting))
	for ready.Len() > 0 {
		node := ready.Pop()
		order = append(order, node)
		for _, to := range g.Next(node) {
			if waiting[to]--; waiting[to] == 0 {
				ready.Push(to)
			}
		}
	}
	if len(order) < len(waiting) {
		return nil, g.cycle(waiting)
	}
	return order, nil
}

// cycle finds a cycle among the nodes that still wait for others. Each of them has a predecessor that waits
// too, so that going back from any must come round.
func (g *Graph) cycle(waiting []int) []int {
	before := make(map[int]int)
	for _, e := range g.edges {
		if waiting[e[0]] == 0 {
			continue
		}
		if was, ok := before[e[1]]; !ok || e[0] < was {
			before[e[1]] = e[0] // the lowest is kept
		}
	}
	at := slices.IndexFunc(waiting, func(n int) bool { return n > 0 })
	seen := map[int]bool{}
	for !seen[at] {
		seen[at] = true
		at = before[at]
	}
	cycle := []int{at}
	for node := before[at]; node != at; node = before[node] {
		cycle = append(cycle, node)
	}
	slices.Reverse(cycle)
	lowest := slices.Index(cycle, slices.Min(cycle))
	return slices.Concat(cycle[lowest:], cycle[:lowest])
}

// Levels returns the length of the longest path that leads to each node, for a topological order.
func (g *Graph) Levels(order []int) []int {
	level := make([]int, len(order))
	for _, node := range order {
		for _, to := range g.Next(node) {
			level[to] = max(level[to], level[node]+1)
		}
	}
	return level
}

// Critical returns, for a topological order, the path whose nodes take the longest together, and how long that is: of equal ones that
// whose end comes first in the order. It is without the nodes that take no time; a time below 0 is none.
func (g *Graph) Critical(order []int, takes []time.Duration) (path []int, total time.Duration) {
	until, before := make([]time.Duration, len(order)), make([]int, len(order)) // to the end of each node
	last := -1
	for i := range before {
		before[i] = -1
	}
	for _, node := range order {
		until[node] += min(max(takes[node], 0), math.MaxInt64-until[node])
		if last < 0 || until[node] > until[last] {
			last = node
		}
		for _, to := range g.Next(node) {
			if until[node] > until[to] {
				until[to], before[to] = until[node], node
			}
		}
	}
	if last >= 0 {
		total = until[last]
	}
	for ; last >= 0; last = before[last] {
		if takes[last] > 0 {
			path = append(path, last)
		}
	}
	slices.Reverse(path)
	return path, total
}

// Queue holds nodes, of which the lowest comes first. The zero Queue is empty.
type Queue struct {
	nodes []int // sorted, the lowest last
}

// Len returns the number of nodes.
func (q *Queue) Len() int { return len(q.nodes) }

// Push adds a node.
func (q *Queue) Push(node int) {
	i, _ := slices.BinarySearchFunc(q.nodes, node, func(a, b int) int { return b - a })
	q.nodes = slices.Insert(q.nodes, i, node)
}

// Pop removes the lowest node and returns it. The queue must not be empty.
func (q *Queue) Pop() int {
	last := len(q.nodes) - 1
	node := q.nodes[last]
	q.nodes = q.nodes[:last]
	return node
}
