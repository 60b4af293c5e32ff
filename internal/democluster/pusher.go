package democluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/golang/snappy"
	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
)

// Bounds of one request, about those of the agents. Larger ones would not be cheaper, and a retry repeats all of it.
const (
	maxLokiEntries  = 2000
	maxOTLPRecords  = 512  // the default of OpenTelemetry's batch processor
	maxWriteSamples = 5000 // Prometheus takes 2000 by default
	maxEventsAtOnce = 200
)

// grouping says how events are sent.
type grouping bool

const (
	oneByOne grouping = false // as kubernetes-event-exporter sends what happens
	inBulk   grouping = true  // an array, for the history
)

// pusher turns a harvest into requests.
type pusher struct {
	url     string
	client  *http.Client
	logs    *otlploghttp.Exporter
	metrics *otlpmetrichttp.Exporter
}

func newPusher(o *Options) (*pusher, error) {
	p := &pusher{url: strings.TrimRight(o.URL, "/")}
	p.client = &http.Client{Transport: &retrier{base: o.Transport, token: o.Token, after: o.After, now: o.Now, logger: o.Logger}}
	// The exporters' own retries are off: the client below them retries.
	var err error
	p.logs, err = otlploghttp.New(context.Background(), otlploghttp.WithEndpointURL(p.url+"/v1/logs"), otlploghttp.WithHTTPClient(p.client),
		otlploghttp.WithCompression(otlploghttp.GzipCompression), otlploghttp.WithRetry(otlploghttp.RetryConfig{}))
	if err != nil {
		return nil, fmt.Errorf("make the OTLP logs exporter: %w", err)
	}
	p.metrics, err = otlpmetrichttp.New(context.Background(), otlpmetrichttp.WithEndpointURL(p.url+"/v1/metrics"), otlpmetrichttp.WithHTTPClient(p.client),
		otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression), otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{}))
	if err != nil {
		return nil, fmt.Errorf("make the OTLP metrics exporter: %w", err)
	}
	return p, nil
}

// deliveries returns the requests that carry h. They are encoded here, once.
func (p *pusher) deliveries(h harvest, g grouping) ([]delivery, error) {
	var all []delivery
	for _, part := range []func() ([]delivery, error){
		func() ([]delivery, error) { return p.lokiDeliveries(h.streams) },
		func() ([]delivery, error) { return p.otlpDeliveries(&h), nil },
		func() ([]delivery, error) { return p.writeDeliveries(&h) },
		func() ([]delivery, error) { return p.eventDeliveries(h.events, g) },
		func() ([]delivery, error) { return p.auditDeliveries(h.audits) },
	} {
		some, err := part()
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func (p *pusher) lokiDeliveries(streams []push.Stream) ([]delivery, error) {
	var all []delivery
	var req push.PushRequest
	rows := 0
	flush := func() error {
		if rows == 0 {
			return nil
		}
		raw, err := req.Marshal()
		if err != nil {
			return fmt.Errorf("marshal Loki push: %w", err)
		}
		header := http.Header{"Content-Type": {"application/x-protobuf"}, "User-Agent": {"promtail/3.5.1"}}
		all = append(all, p.posting(laneLoki, rows, "/loki/api/v1/push", header, snappy.Encode(nil, raw)))
		req, rows = push.PushRequest{}, 0
		return nil
	}
	for _, s := range streams {
		for len(s.Entries) > 0 {
			n := min(len(s.Entries), maxLokiEntries-rows)
			req.Streams = append(req.Streams, push.Stream{Labels: s.Labels, Entries: s.Entries[:n]})
			s.Entries, rows = s.Entries[n:], rows+n
			if rows == maxLokiEntries {
				if err := flush(); err != nil {
					return nil, err
				}
			}
		}
	}
	err := flush()
	return all, err
}

func (p *pusher) otlpDeliveries(h *harvest) []delivery {
	var all []delivery
	for rest := h.records; len(rest) > 0; {
		batch := rest[:min(len(rest), maxOTLPRecords)]
		rest = rest[len(batch):]
		all = append(all, delivery{lane: laneOTLPLogs, rows: len(batch), send: func(ctx context.Context) error {
			return p.logs.Export(ctx, batch)
		}})
	}
	for _, r := range h.resources {
		all = append(all, delivery{lane: laneOTLPMetrics, rows: r.points, send: func(ctx context.Context) error {
			return p.metrics.Export(ctx, r.metrics)
		}})
	}
	return all
}

func (p *pusher) writeDeliveries(h *harvest) ([]delivery, error) {
	header := http.Header{
		"Content-Type": {"application/x-protobuf"}, "Content-Encoding": {"snappy"},
		"X-Prometheus-Remote-Write-Version": {"0.1.0"}, "User-Agent": {"Prometheus/3.5.0"},
	}
	var all []delivery
	req := prompb.WriteRequest{Metadata: h.metadata}
	rows := 0
	flush := func() error {
		if rows == 0 {
			return nil
		}
		raw, err := req.Marshal()
		if err != nil {
			return fmt.Errorf("marshal remote write: %w", err)
		}
		all = append(all, p.posting(laneRemoteWrite, rows, "/api/v1/write", header, snappy.Encode(nil, raw)))
		req, rows = prompb.WriteRequest{}, 0
		return nil
	}
	for _, s := range h.samples {
		req.Timeseries = append(req.Timeseries, s)
		if rows += len(s.Samples); rows >= maxWriteSamples {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	err := flush()
	return all, err
}

func (p *pusher) eventDeliveries(events []exportedEvent, g grouping) ([]delivery, error) {
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"kubernetes-event-exporter"}}
	var all []delivery
	add := func(rows int, value any) error {
		body, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("marshal events: %w", err)
		}
		all = append(all, p.posting(laneEvents, rows, "/api/v1/push/events", header, body))
		return nil
	}
	for len(events) > 0 {
		n := 1
		var value any = events[0]
		if g == inBulk {
			n = min(len(events), maxEventsAtOnce)
			value = events[:n]
		}
		if err := add(n, value); err != nil {
			return nil, err
		}
		events = events[n:]
	}
	return all, nil
}

func (p *pusher) posting(l lane, rows int, path string, header http.Header, body []byte) delivery {
	return delivery{lane: l, rows: rows, send: func(ctx context.Context) error { return p.post(ctx, path, header, body) }}
}
