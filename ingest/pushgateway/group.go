package pushgateway

import (
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The metrics that a gateway adds to every group.
const (
	pushTimeMetric    = "push_time_seconds"
	failureTimeMetric = "push_failure_time_seconds"
)

// isOwnMetric reports whether a pushed family is passed over because the gateway makes one of that name.
func isOwnMetric(name string) bool { return name == pushTimeMetric || name == failureTimeMetric }

// Group is what was pushed under one grouping key of a cluster, as the store keeps it. Times are milliseconds since 1970.
type Group struct {
	Cluster     seamark.ClusterID `json:"cluster"`
	ClusterName string            `json:"cluster_name"`
	Key         Key               `json:"key"`
	Pushed      int64             `json:"pushed"` // last push that was taken, 0 when there was none
	Failed      int64             `json:"failed"` // last push that contradicted itself or others, 0 when there was none
	// Stamp is the time of the group's newest samples. It rises with every change, so it is the group's version too.
	Stamp    int64         `json:"stamp"`
	TTL      time.Duration `json:"ttl,omitempty"` // 0 when the group lives until it is deleted
	Families []Family      `json:"families,omitempty"`
	// Ended holds the series that were replaced or taken away, as encodeSeries makes them, until the reemitter has written
	// their stale markers: so they end although the node that took the push may have died.
	Ended []byte `json:"ended,omitempty"`
	// Deleted says that the group is gone for its sender and stays for the stale markers of its series alone.
	Deleted bool `json:"deleted,omitempty"`
}

// maxEnded bounds the series that a group remembers as ended. A sender that changes its series with every push would
// fill the store; what falls off has got one stale marker already, from the push that ended it.
const maxEnded = 10_000

// ID identifies the group within its tenant.
func (g *Group) ID() string { return g.Key.id(g.Cluster) }

// Bytes is the group's size as the limits count it.
func (g *Group) Bytes() int {
	size := 0
	for i := range g.Families {
		size += g.Families[i].Bytes
	}
	return size
}

// Expires returns when the group ends by itself; false when it does not. A group whose pushes have all failed lives on
// from the last.
func (g *Group) Expires() (time.Time, bool) {
	since := g.Pushed
	if since == 0 {
		since = g.Failed
	}
	return time.UnixMilli(since).Add(g.TTL), g.TTL > 0
}

// Live reports whether the group is there for its sender.
func (g *Group) Live(now time.Time) bool {
	end, ends := g.Expires()
	return !g.Deleted && !(ends && !now.Before(end))
}

// touch gives the group a new version and returns it, the time of the samples that are written for the change.
func (g *Group) touch(now time.Time) int64 {
	g.Stamp = max(now.UnixMilli(), g.Stamp+1)
	return g.Stamp
}

// change is a push on its way into a group.
type change struct {
	families []*family
	packed   []Family
	replace  bool // PUT: what is not pushed again goes
	ttl      time.Duration
	now      time.Time
}

// apply makes the push part of g and returns the series that it ends. Series that stand twice in the outcome make it fail
// with Invalid seamark-push-inconsistent.
func (g *Group) apply(c *change) ([]series, error) {
	fresh := !g.Live(c.now)
	var removed []series
	var kept []Family
	live := map[string]struct{}{}
	for i := range g.Families {
		f := &g.Families[i]
		list, err := decodeSeries(f.Data)
		if err != nil {
			return nil, err
		}
		replaced := slices.ContainsFunc(c.packed, func(p Family) bool { return p.Name == f.Name })
		if fresh || c.replace || replaced {
			removed = append(removed, list...)
			continue
		}
		kept = append(kept, *f)
		if err := enlist(live, list); err != nil {
			return nil, err
		}
	}
	for _, f := range c.families {
		if err := enlist(live, f.series); err != nil {
			return nil, err
		}
	}
	ended := without(removed, live)
	if err := g.end(ended, live); err != nil {
		return nil, err
	}
	g.Families = slices.Concat(kept, c.packed)
	g.Deleted, g.TTL, g.Pushed = false, c.ttl, c.now.UnixMilli()
	if fresh {
		g.Failed = 0
	}
	g.touch(c.now)
	return ended, nil
}

// enlist adds the keys of list to live and fails when one is there already.
func enlist(live map[string]struct{}, list []series) error {
	for i := range list {
		key := list[i].key()
		if list[i].histogram != nil {
			key = "\xff" + key // a native histogram and a family's own plain series may share their labels
		}
		if _, twice := live[key]; twice {
			return inconsistent("Metric %.100q stands twice with the same labels; the labels of the grouping key replace those of the "+
				"same name in the body.", list[i].name())
		}
		live[key] = struct{}{}
	}
	return nil
}

// without returns the series of list whose labels are not live in any form.
func without(list []series, live map[string]struct{}) []series {
	var out []series
	for i := range list {
		key := list[i].key()
		_, plain := live[key]
		_, native := live["\xff"+key]
		if !plain && !native {
			out = append(out, list[i])
		}
	}
	return out
}

// end brings g.Ended up to date: what has ended now and before, without what lives.
func (g *Group) end(ended []series, live map[string]struct{}) error {
	before, err := decodeSeries(g.Ended)
	if err != nil || len(ended)+len(before) == 0 {
		return err
	}
	seen := map[string]struct{}{}
	var all []series
	for _, s := range slices.Concat(ended, without(before, live)) {
		if _, twice := seen[s.key()]; !twice && len(all) < maxEnded {
			seen[s.key()] = struct{}{}
			all = append(all, s)
		}
	}
	g.Ended, _, err = encodeSeries(all)
	return err
}

func inconsistent(format string, args ...any) error {
	return seamark.Errorf(seamark.Invalid, inconsistentID, format, args...)
}

const inconsistentID = "seamark-push-inconsistent"

func groupLarge(size, limit int) error {
	return seamark.Errorf(seamark.TooLarge, "seamark-pushgroup-large",
		"The group would hold at least %d bytes of series; the limit is %d (--ingest.max-push-group-bytes). Push fewer series, or "+
			"divide them among groups.", size, limit)
}
