package bus

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"
)

// view is what one process knows of who holds what.
type view struct {
	total  int
	life   string
	live   map[string]bool // replicas that take shards, by name
	counts map[string]int  // of shards that each has or is about to get
	free   []int           // shards that this process may take, in the order in which it tries
}

// look reads the board.
func (s *Shards) look(life string) *view {
	v := &view{total: s.opts.Count, life: life, live: map[string]bool{}, counts: map[string]int{}}
	lives := map[string]string{} // of those who hold what they have, leaving ones too
	for key, p := range s.board.List() {
		if strings.HasPrefix(key, replicaPrefix) && p.Doc.State != deadReplica {
			lives[p.Doc.Owner] = p.Doc.Life
			if p.Doc.State == "" {
				v.live[p.Doc.Owner], v.counts[p.Doc.Owner] = true, 0
			}
		}
	}
	claims := map[int]*Claim{}
	for _, c := range s.list() {
		claims[c.Shard] = c
	}
	for n := range s.opts.Count {
		p, _ := s.board.Find(shardKey(n))
		doc := &p.Doc
		c := claims[n]
		switch {
		case c != nil && c.ctx.Err() == nil:
			v.counts[s.opts.Owner]++
		case c != nil:
			v.count(c.to)
		case doc.Owner != "" && doc.Owner != s.opts.Owner && lives[doc.Owner] == doc.Life:
			v.count(doc.Owner)
		case doc.Owner == "" && doc.For != s.opts.Owner && v.live[doc.For] && time.Since(p.Seen) < s.opts.TTL/2:
			v.count(doc.For)
		default:
			v.free = append(v.free, n)
		}
	}
	owner := s.opts.Owner
	slices.SortFunc(v.free, func(a, b int) int { return cmp.Compare(rank(owner, a), rank(owner, b)) })
	return v
}

// rank orders shards differently for each process, so that those who take at once seldom meet.
func rank(owner string, shard int) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(owner + " " + strconv.Itoa(shard)))
	return h.Sum32()
}

func (v *view) count(owner string) {
	if v.live[owner] {
		v.counts[owner]++
	}
}

// most is what one process may take.
func (v *view) most() int { return (v.total + len(v.live) - 1) / max(1, len(v.live)) }

// move is shards of one process that another should have.
type move struct {
	from, to string
	count    int
}

// moves returns what makes the shares even, in an order that all processes agree on. Those who have most keep one more where the
// shards do not divide.
func (v *view) moves() []move {
	names := make([]string, 0, len(v.counts))
	for name := range v.counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(v.counts[b], v.counts[a]), strings.Compare(a, b))
	})
	if len(names) == 0 {
		return nil
	}
	least, more := v.total/len(names), v.total%len(names)
	over := make([]int, len(names)) // above the share; negative below it
	for i, name := range names {
		over[i] = v.counts[name] - least
		if i < more {
			over[i]--
		}
	}
	var list []move
	to := len(names) - 1
	for from := range names {
		for over[from] > 0 && to > from {
			if over[to] >= 0 {
				to--
				continue
			}
			n := min(over[from], -over[to])
			list = append(list, move{names[from], names[to], n})
			over[from] -= n
			over[to] += n
		}
	}
	return list
}

// surplus returns the moves of one process's shards. Nothing moves while shards are free: those who have few take them first.
func (v *view) surplus(owner string) []move {
	if len(v.free) > 0 {
		return nil
	}
	return slices.DeleteFunc(v.moves(), func(m move) bool { return m.from != owner })
}
