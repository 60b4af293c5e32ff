package app

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestFollowDeleted(t *testing.T) {
	states := []map[seamark.TenantID]bool{{"a": true, "b": true}, {"a": true, "b": true, "c": true}, {"c": true}, {"c": true}, {}}
	ctx, cancel := context.WithCancel(t.Context())
	tick, forgotten, looks := make(chan time.Time, len(states)), []string{}, 0
	for range len(states) - 1 {
		tick <- time.Time{}
	}
	followDeleted(ctx, tick, func() map[seamark.TenantID]bool {
		looks++
		if looks == len(states) {
			cancel()
		}
		return states[looks-1]
	}, func(id seamark.TenantID) { forgotten = append(forgotten, string(id)) })
	slices.Sort(forgotten)
	if !slices.Equal(forgotten, []string{"a", "b", "c"}) {
		t.Errorf("forgot %v, want each deleted tenant once", forgotten)
	}
}
