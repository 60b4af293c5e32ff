package receivers

import (
	"context"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/common/model"
)

// Evidence is what helps whoever is told of an alert. Every part may be missing.
type Evidence struct {
	Value     string   `json:"value,omitempty"`     // of the rule's expression now, such as 0.93
	Threshold string   `json:"threshold,omitempty"` // with its comparison, such as > 0.9
	Sparkline string   `json:"sparkline,omitempty"` // the value's last hour in block characters
	Logs      []string `json:"logs,omitempty"`      // offending lines of the alert's workload, newest first
	Events    []string `json:"events,omitempty"`    // Warning events of the alert's workload, newest first
	Links     []Link   `json:"links,omitempty"`     // into the console
}

// Link is a place in the console.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// The annotations that evidence appears under in templates.
const (
	valueAnnotation     = "seamark_value"
	thresholdAnnotation = "seamark_threshold"
	sparklineAnnotation = "seamark_sparkline"
	logsAnnotation      = "seamark_logs"
	eventsAnnotation    = "seamark_events"
	linksAnnotation     = "seamark_links"
)

// annotate adds the evidence to an alert's annotations. What the rule says under the same name stays.
func (e *Evidence) annotate(to template.KV) {
	links := make([]string, len(e.Links))
	for i, l := range e.Links {
		links[i] = l.Text + ": " + l.URL
	}
	for name, text := range map[string]string{
		valueAnnotation: e.Value, thresholdAnnotation: e.Threshold, sparklineAnnotation: e.Sparkline,
		logsAnnotation: strings.Join(e.Logs, "\n"), eventsAnnotation: strings.Join(e.Events, "\n"), linksAnnotation: strings.Join(links, "\n"),
	} {
		if _, taken := to[name]; text != "" && !taken {
			to[name] = text
		}
	}
}

// CollectFunc finds the evidence for one firing alert. It may return a part of it beside an error.
type CollectFunc func(ctx context.Context, a *model.Alert) (Evidence, error)

// Bounds of the evidence of one notification. Without them a notification waits for a slow store, or carries a page of logs
// for each of a thousand pods.
const (
	evidenceTimeout = 2 * time.Second
	evidenceAlerts  = 3           // of a group that evidence is collected for
	evidenceAge     = time.Minute // for which it counts as fresh, so that a group's receivers and attempts share it
	maxEvidences    = 256         // that are remembered per tenant
)

// Evidences collects evidence, and remembers it for a moment. It is safe for concurrent use. A nil one has none.
type Evidences struct {
	collect CollectFunc
	now     func() time.Time
	logger  *slog.Logger

	mu    sync.Mutex // guards known
	known map[evidenceKey]collected
}

type evidenceKey struct {
	alert  model.Fingerprint
	starts int64
}

type collected struct {
	at    time.Time
	found Evidence
}

// NewEvidences returns what collects by the given function.
func NewEvidences(collect CollectFunc, now func() time.Time, logger *slog.Logger) *Evidences {
	return &Evidences{collect: collect, now: now, logger: logger, known: map[evidenceKey]collected{}}
}

// of returns the evidence of a group's first firing alerts. It never takes longer than evidenceTimeout, even when the
// function ignores its context, and what it cannot collect it leaves out.
func (e *Evidences) of(ctx context.Context, alerts []*alert.Alert) map[model.Fingerprint]Evidence {
	if e == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, evidenceTimeout)
	defer cancel()
	type one struct {
		key   evidenceKey
		found Evidence
	}
	found := map[model.Fingerprint]Evidence{}
	answers := make(chan one, evidenceAlerts)
	asked := 0
	for _, a := range alerts {
		if a.Resolved() {
			continue
		}
		key := evidenceKey{a.Fingerprint(), a.StartsAt.UnixNano()}
		if known, ok := e.fresh(key); ok {
			found[key.alert] = known
			continue
		}
		if asked == evidenceAlerts {
			break
		}
		asked++
		copied := a.Alert
		go func() {
			got, err := e.collect(ctx, &copied)
			if err != nil {
				e.logger.Debug("evidence not collected", "alert", copied.Name(), "err", err)
			}
			answers <- one{key, got}
		}()
	}
	for range asked {
		select {
		case <-ctx.Done():
			return found
		case got := <-answers:
			found[got.key.alert] = got.found
			e.remember(got.key, got.found)
		}
	}
	return found
}

func (e *Evidences) fresh(key evidenceKey) (Evidence, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known, ok := e.known[key]
	return known.found, ok && e.now().Sub(known.at) < evidenceAge
}

func (e *Evidences) remember(key evidenceKey, found Evidence) {
	now := e.now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.known) >= maxEvidences {
		maps.DeleteFunc(e.known, func(_ evidenceKey, c collected) bool { return now.Sub(c.at) >= evidenceAge })
	}
	if len(e.known) < maxEvidences {
		e.known[key] = collected{now, found}
	}
}
