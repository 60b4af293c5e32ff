package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// DropFilter selects lines of the drop ledger inside Range. Empty fields select everything; Limit bounds the reasons.
type DropFilter struct {
	Range                                    seamark.TimeRange
	Cluster, Token, Protocol, Signal, Reason string
	Limit                                    int
}

// DropReason is what was refused for one reason.
type DropReason struct {
	Reason                               string
	First, Last                          time.Time
	Requests, Rows, Bytes                uint64
	Statuses                             []uint16
	Clusters, Tokens, Protocols, Signals []string
	Detail                               string         // of the newest refusal
	Samples                              []seamark.Drop // newest first
}

// DropLister is what the drop route needs of the store: the reasons that match, the one that happened last first, at most
// as many as the filter's limit.
type DropLister interface {
	ListDrops(ctx context.Context, tenant seamark.TenantID, f DropFilter) ([]DropReason, error)
}

const (
	// defaultDropRange is what the route shows when the caller names no start.
	defaultDropRange = 24 * time.Hour
	// defaultDropLimit and maxDropLimit bound the reasons of one answer. There are about a hundred reasons in all.
	defaultDropLimit = 100
	maxDropLimit     = 500
	// maxDropText bounds what a filter is compared with.
	maxDropText = 1024
)

// dropList is the answer of the drop route.
type dropList struct {
	Items     []dropItem `json:"items"`
	Truncated bool       `json:"truncated"`
}

type dropItem struct {
	Reason    string       `json:"reason"`
	Advice    string       `json:"advice"`
	First     time.Time    `json:"first"`
	Last      time.Time    `json:"last"`
	Requests  uint64       `json:"requests"`
	Rows      uint64       `json:"rows"`
	Bytes     uint64       `json:"bytes"`
	Statuses  []uint16     `json:"statuses"`
	Clusters  []string     `json:"clusters"`
	Tokens    []string     `json:"tokens"`
	Protocols []string     `json:"protocols"`
	Signals   []string     `json:"signals"`
	Detail    string       `json:"detail"`
	Samples   []dropSample `json:"samples"`
}

type dropSample struct {
	Time     time.Time `json:"time"`
	Cluster  string    `json:"cluster"`
	Token    string    `json:"token"`
	Protocol string    `json:"protocol"`
	Signal   string    `json:"signal"`
	Status   uint16    `json:"status"`
	Detail   string    `json:"detail"`
	Sample   string    `json:"sample"`
}

// DropRoutes returns the route for the drop ledger, which answers "where are my logs".
func DropRoutes(lister DropLister, now func() time.Time) []httpx.Route {
	return []httpx.Route{{
		Method: http.MethodGet, Path: "/api/v1/drops", Permission: "data:read",
		Handler: func(w http.ResponseWriter, r *httpx.Request) error {
			filter, err := parseDropFilter(r.URL.Query(), now())
			if err != nil {
				return err
			}
			limit := filter.Limit
			filter.Limit++ // one more tells whether there are more
			list, err := lister.ListDrops(r.Context(), r.Tenant(), filter)
			if err != nil {
				return err
			}
			answer := dropList{Items: []dropItem{}, Truncated: len(list) > limit}
			for i := range list[:min(limit, len(list))] {
				answer.Items = append(answer.Items, dropItemOf(&list[i]))
			}
			return httpx.WriteJSON(w, http.StatusOK, answer)
		},
	}}
}

func dropItemOf(d *DropReason) dropItem {
	item := dropItem{
		Reason: d.Reason, Advice: dropAdvice(d.Reason, d.Statuses), First: d.First.UTC(), Last: d.Last.UTC(), Requests: d.Requests, Rows: d.Rows,
		Bytes: d.Bytes, Statuses: orEmpty(d.Statuses), Clusters: orEmpty(d.Clusters), Tokens: orEmpty(d.Tokens),
		Protocols: orEmpty(d.Protocols), Signals: orEmpty(d.Signals), Detail: d.Detail, Samples: []dropSample{},
	}
	for i := range d.Samples {
		s := &d.Samples[i]
		item.Samples = append(item.Samples, dropSample{
			Time: s.Time.UTC(), Cluster: s.Cluster, Token: s.Token, Protocol: s.Protocol, Signal: signalName(s.Signal), Status: s.Status,
			Detail: s.Detail, Sample: s.Sample,
		})
	}
	return item
}

// signalName returns "" for a line that stands for several signals.
func signalName(s seamark.Signal) string {
	if slices.Contains(seamark.Signals(), s) {
		return s.String()
	}
	return ""
}

// orEmpty makes an absent list an empty one in JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func parseDropFilter(q url.Values, now time.Time) (DropFilter, error) {
	f := DropFilter{
		Cluster: q.Get("cluster"), Token: q.Get("token"), Protocol: q.Get("protocol"), Signal: q.Get("signal"), Reason: q.Get("reason"),
		Limit: defaultDropLimit,
	}
	for _, field := range []struct{ name, text string }{{"cluster", f.Cluster}, {"token", f.Token}, {"protocol", f.Protocol}, {"reason", f.Reason}} {
		if len(field.text) > maxDropText {
			return f, seamark.Errorf(seamark.Invalid, "seamark-drops-text", "The %s has %d bytes; the limit is %d.", field.name, len(field.text), maxDropText)
		}
	}
	if f.Signal != "" {
		if _, err := seamark.ParseSignal(f.Signal); err != nil {
			return f, err
		}
	}
	var err error
	if f.Range.End, err = timeParameter(q, "end", now); err != nil {
		return f, err
	}
	if f.Range.Start, err = timeParameter(q, "start", f.Range.End.Add(-defaultDropRange)); err != nil {
		return f, err
	}
	if err := f.Range.Validate(); err != nil {
		return f, err
	}
	if text := q.Get("limit"); text != "" {
		if f.Limit, err = strconv.Atoi(text); err != nil || f.Limit < 1 || f.Limit > maxDropLimit {
			return f, seamark.Errorf(seamark.Invalid, "seamark-drops-limit", "The limit %q is not a number from 1 to %d.", text, maxDropLimit)
		}
	}
	return f, nil
}
