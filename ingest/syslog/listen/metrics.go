package listen

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of one protocol. Its listeners share them.
type metrics struct {
	conns   prometheus.Gauge
	bytes   prometheus.Counter
	retries prometheus.Counter
	closed  *prometheus.CounterVec // by reason
	dropped *prometheus.CounterVec // by reason
}

func newMetrics(reg prometheus.Registerer, protocol string) (*metrics, error) {
	label := []string{"protocol"}
	reasons := []string{"protocol", "reason"}
	conns, err := register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "seamark_ingest_stream_connections", Help: "Open connections of protocols with a listener of their own.",
	}, label))
	if err != nil {
		return nil, err
	}
	bytes, err := register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seamark_ingest_stream_received_bytes_total", Help: "Bytes read from connections, as sent and without TLS.",
	}, label))
	if err != nil {
		return nil, err
	}
	retries, err := register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seamark_ingest_stream_retries_total", Help: "Pushes of a batch that failed and were tried again while its connection was not read.",
	}, label))
	if err != nil {
		return nil, err
	}
	closed, err := register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seamark_ingest_stream_closed_connections_total", Help: "Connections that were closed for a fault, by its id.",
	}, reasons))
	if err != nil {
		return nil, err
	}
	dropped, err := register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "seamark_ingest_stream_dropped_rows_total", Help: "Rows or messages that were lost, by the fault's id.",
	}, reasons))
	if err != nil {
		return nil, err
	}
	return &metrics{
		conns: conns.WithLabelValues(protocol), bytes: bytes.WithLabelValues(protocol), retries: retries.WithLabelValues(protocol),
		closed: closed.MustCurryWith(prometheus.Labels{"protocol": protocol}), dropped: dropped.MustCurryWith(prometheus.Labels{"protocol": protocol}),
	}, nil
}

// register returns the collector that is registered already, by another listener, when there is one.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) (C, error) {
	err := reg.Register(c)
	if known, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if same, ok := known.ExistingCollector.(C); ok {
			return same, nil
		}
	}
	return c, err
}
