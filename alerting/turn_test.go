package alerting

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/rules"
)

// TestGroupsOfATenantTakeTurns has many groups of many tenants: those of one are evaluated within a second of every fifteen, and the
// tenants are spread over the fifteen seconds.
func TestGroupsOfATenantTakeTurns(t *testing.T) {
	seconds := map[time.Duration]bool{}
	for number := range 40 {
		l := &groupLoader{parser: newParser(), salt: fmt.Sprintf("01ARZ3NDEKTSV4RRFFQ69G5F%02d", number)}
		var groups []RuleGroup
		for n := range 30 {
			groups = append(groups, RuleGroup{
				Namespace: fmt.Sprint("ns", n%3), Language: PromQL,
				Group: rulefmt.RuleGroup{Name: fmt.Sprint("group-", n), Interval: model.Duration(time.Minute)},
			})
		}
		var places []time.Duration // within turns, from that of the first group
		var names []string
		for _, file := range l.replace(groups) {
			list, errs := l.Load(file, false, model.UTF8Validation)
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			for _, g := range list.Groups {
				names = append(names, namespaceOf(file)+" "+g.Name)
				group := rules.NewGroup(rules.GroupOptions{Name: g.Name, File: file, Interval: time.Duration(g.Interval), Opts: &rules.ManagerOptions{}})
				at := group.EvalTimestamp(time.Date(2026, 11, 21, 12, 30, 0, 0, time.UTC).UnixNano())
				places = append(places, time.Duration(at.UnixNano()%int64(turn)))
			}
		}
		if slices.Sort(names); len(slices.Compact(names)) != len(groups) {
			t.Fatalf("%d groups are loaded, want %d: %v", len(names), len(groups), names)
		}
		for _, place := range places {
			apart := (place - places[0] + turn) % turn
			if apart > turnWidth && turn-apart > turnWidth {
				t.Fatalf("two groups of a tenant are evaluated %s apart in their turn, want at most %s", min(apart, turn-apart), turnWidth)
			}
		}
		seconds[places[0]/time.Second] = true
	}
	if len(seconds) < 10 {
		t.Errorf("40 tenants have %d of 15 seconds", len(seconds))
	}
}
