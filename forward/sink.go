package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/seamarkhq/seamark/internal/guard"
)

// sink sends to one target. It is safe for concurrent use: the shards of a forwarder share it.
type sink interface {
	// send returns nil when the target has all of the part. Another error than a *refusal is tried again.
	send(ctx context.Context, p *part) error
	// close lets go of connections; send is not called any more.
	close()
}

// refusal is an error of which the target says how to go on.
type refusal struct {
	err error
	// final says that the same part will not be taken later either.
	final bool
	// after is how long the target wants to be left alone; 0 when it does not say.
	after time.Duration
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func final(format string, args ...any) error {
	return &refusal{err: fmt.Errorf(format, args...), final: true}
}

// sinkOptions is what sinks share.
type sinkOptions struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	parquet func(io.Writer, []Row) error
	// userAgent is what HTTP targets see.
	userAgent string
}

// openSink makes the sink of a target. It dials nothing yet.
func openSink(t *Target, secrets *safe, o sinkOptions) (sink, error) {
	switch {
	case t.Webhook != nil:
		return newWebhookSink(t.Webhook, secrets, o), nil
	case t.NATS != nil:
		return &natsSink{target: t.NATS, secrets: secrets, opts: o}, nil
	case t.Kafka != nil:
		return newKafkaSink(t.Kafka, secrets, o)
	case t.S3 != nil:
		return newS3Sink(t.S3, secrets, o), nil
	}
	return nil, errors.New("the forwarder has no target")
}

// checkAddress refuses, when a forwarder is saved, addresses that are written out and that the dial would refuse.
func checkAddress(g *guard.Guard, t *Target) error {
	var err error
	switch {
	case t.Webhook != nil:
		err = g.CheckURL(t.Webhook.URL)
	case t.NATS != nil:
		err = checkHost(g, t.NATS.URL)
	case t.S3 != nil && t.S3.Endpoint != "":
		err = g.CheckURL(t.S3.Endpoint)
	case t.Kafka != nil:
		for _, broker := range t.Kafka.Brokers {
			host, port, _ := net.SplitHostPort(broker) // checked by normalise
			if err = g.CheckHost(host, port, 0); err != nil {
				break
			}
		}
	}
	if err != nil {
		return invalid("target.%s: %s; the operator can open private networks with --forwarders.allowed-targets", t.kind(), err)
	}
	return nil
}
