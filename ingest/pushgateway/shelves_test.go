package pushgateway_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest/pushgateway"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestPushesOfManyNodes pushes at once from two nodes to groups of which some are the same, and none is lost.
func TestPushesOfManyNodes(t *testing.T) {
	g := newGateway(t, nil)
	nodes := []*pushgateway.Service{
		g.service, g.node(t, func(o *pushgateway.Options) { o.Groups = pushgateway.NewShelves(g.docs) }),
	}
	var wait sync.WaitGroup
	const pushes = 40
	for i := range pushes {
		wait.Go(func() {
			p := text(t, fmt.Sprintf("/metrics/job/j/instance/%d", i/2), fmt.Sprintf("a%d 1\n", i))
			if err := nodes[i%2].Post(t.Context(), principal(), p); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	require.Len(t, g.recorder.at(g.clock.Advance(time.Second)), pushes)
	groups, err := g.service.List(t.Context(), tenantA)
	require.NoError(t, err)
	require.Len(t, groups, pushes/2)
	for _, group := range groups {
		require.Len(t, group.Families, 2)
	}
}

// TestShelvesDoNotGrow pushes and deletes ever new groups: the documents stay few and small.
func TestShelvesDoNotGrow(t *testing.T) {
	g := newGateway(t, nil)
	r := g.reemitter(t)
	for i := range 100 {
		k := fmt.Sprintf("/metrics/job/j/run/%d", i)
		require.NoError(t, g.service.Put(t.Context(), principal(), text(t, k, "a 1\n")))
		require.NoError(t, g.service.Delete(t.Context(), principal(), key(t, k)))
		g.clock.Advance(time.Second)
	}
	require.NoError(t, r.Round(t.Context()))
	size := 0
	for shelf := range 16 {
		doc, _, err := g.docs.Find(t.Context(), fmt.Sprintf("%s.%02d", tenantA, shelf))
		require.NoError(t, err)
		text, err := json.Marshal(doc)
		require.NoError(t, err)
		size += len(text)
	}
	require.Less(t, size, 16*20)
	tenants, err := g.groups.Tenants(t.Context())
	require.NoError(t, err)
	require.Equal(t, []seamark.TenantID{tenantA}, tenants)
}

// TestFullShelf refuses what would not fit a message of the bus, and takes it when there is room again.
func TestFullShelf(t *testing.T) {
	g := newGateway(t, func(o *pushgateway.Options) {
		o.Limits = pushgateway.Limits{MaxGroupBytes: 3 << 20, MaxTenantBytes: 1 << 30, MaxGroups: 1000}
	})
	random := rand.New(rand.NewPCG(1, 2)) // text that does not compress
	var body strings.Builder
	for i := range 700 {
		fmt.Fprintf(&body, "a{x=\"%d", i)
		for range 2000 {
			body.WriteByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[random.IntN(64)])
		}
		body.WriteString("\"} 1\n")
	}
	// Groups that share a document are found by making small ones.
	for i := range 100 {
		require.NoError(t, g.service.Put(t.Context(), principal(), text(t, fmt.Sprint("/metrics/job/j", i), "a 1\n")))
	}
	doc, _, err := g.docs.Find(t.Context(), string(tenantA)+".00")
	require.NoError(t, err)
	require.Greater(t, len(doc.Groups), 3)
	put := func(k pushgateway.Key) error {
		return g.service.Put(t.Context(), principal(), &pushgateway.Push{Key: k, Body: []byte(body.String())})
	}
	for i := range 3 {
		require.NoError(t, put(doc.Groups[i].Key))
	}
	requireError(t, put(doc.Groups[3].Key), seamark.TooLarge, "seamark-pushgroup-space")
	require.NoError(t, g.service.Delete(t.Context(), principal(), doc.Groups[0].Key))
	g.clock.Advance(time.Second)
	require.NoError(t, g.reemitter(t).Round(t.Context()))
	require.NoError(t, put(doc.Groups[3].Key))
}

// TestEndedIsBounded replaces a group's series again and again while no reemitter runs.
func TestEndedIsBounded(t *testing.T) {
	g := newGateway(t, nil)
	for round := range 25 {
		var body []byte
		for i := range 1000 {
			body = fmt.Appendf(body, "a{run=\"%d\",i=\"%d\"} 1\n", round, i)
		}
		require.NoError(t, g.service.Put(t.Context(), principal(), text(t, "/metrics/job/j", string(body))))
		g.clock.Advance(time.Second)
		require.Len(t, g.recorder.at(g.clock.Now()), 1000)
	}
	groups, err := g.groups.List(t.Context(), tenantA)
	require.NoError(t, err)
	require.Less(t, len(groups[0].Ended), 200_000)
	require.NoError(t, g.reemitter(t).Round(t.Context()))
	require.Len(t, g.recorder.at(g.clock.Now()), 1000)
}

func TestWipe(t *testing.T) {
	g := newGateway(t, nil)
	other := principal()
	other.Cluster, other.ClusterName = "01ARZ3NDEKTSV4RRFFQ69G5FAZ", "test"
	for i := range 5 {
		require.NoError(t, g.service.Put(t.Context(), principal(), text(t, fmt.Sprint("/metrics/job/j", i), "a 1\n")))
	}
	require.NoError(t, g.service.Put(t.Context(), other, text(t, "/metrics/job/other", "a 1\n")))
	require.NoError(t, g.service.Wipe(t.Context(), principal()))
	require.Equal(t, map[string]float64{`a{job="other"}`: 1}, g.recorder.at(g.clock.Advance(time.Second)))
	groups, err := g.service.List(t.Context(), tenantA)
	require.NoError(t, err)
	require.Len(t, groups, 1)
}

func TestAppendGroups(t *testing.T) {
	g := newGateway(t, nil)
	p := text(t, "/metrics/job/j/instance@base64/=", "# HELP a An a.\n# TYPE a counter\na{x=\"y\"} 1.5\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 2\nh_count 1\n")
	p.TTL = time.Hour
	require.NoError(t, g.service.Put(t.Context(), principal(), p))
	groups, err := g.service.List(t.Context(), tenantA)
	require.NoError(t, err)
	got, err := pushgateway.AppendGroups(nil, groups)
	require.NoError(t, err)
	const at = `"time_stamp":"2026-11-21T04:00:00Z"`
	const labels = `"instance":"","job":"j"`
	require.JSONEq(t, `{"status":"success","data":[{"labels":{`+labels+`},"last_push_successful":true,"cluster":"prod","expires":"2026-11-21T05:00:00Z",
		"a":{`+at+`,"type":"COUNTER","help":"An a.","metrics":[{"labels":{`+labels+`,"x":"y"},"value":"1.5"}]},
		"h":{`+at+`,"type":"HISTOGRAM","help":"","metrics":[
			{"labels":{`+labels+`,"le":"+Inf"},"value":"1","name":"h_bucket"},{"labels":{`+labels+`},"value":"2","name":"h_sum"},
			{"labels":{`+labels+`},"value":"1","name":"h_count"}]},
		"push_time_seconds":{`+at+`,"type":"GAUGE","help":"Last Unix time when changing this group in the Pushgateway succeeded.",
			"metrics":[{"labels":{`+labels+`},"value":"1.7952336e+09"}]},
		"push_failure_time_seconds":{"time_stamp":"1970-01-01T00:00:00Z","type":"GAUGE","help":"Last Unix time when changing this group in the Pushgateway failed.",
			"metrics":[{"labels":{`+labels+`},"value":"0"}]}}]}`, string(got))
	got, err = pushgateway.AppendGroups(nil, nil)
	require.NoError(t, err)
	require.JSONEq(t, `{"status":"success","data":[]}`, string(got))
}
