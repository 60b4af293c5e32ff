package forward

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// kafkaSink produces each row as a record, and waits until all replicas in sync have it.
type kafkaSink struct{ client *kgo.Client }

func newKafkaSink(t *Kafka, secrets *safe, o sinkOptions) (*kafkaSink, error) {
	options := []kgo.Opt{
		kgo.ClientID("seamark"), kgo.SeedBrokers(t.Brokers...), kgo.DefaultProduceTopic(t.Topic), kgo.Dialer(kafkaDialer(t, o)),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		// Repeats are told by the batch's id, so the permission that idempotent writes need is not asked for.
		kgo.DisableIdempotentWrite(),
		// An attempt must end for the forwarder's own backoff to count.
		kgo.RecordDeliveryTimeout(sendTimeout), kgo.RetryTimeout(sendTimeout), kgo.RecordRetries(2), kgo.UnknownTopicRetries(1), kgo.ProducerLinger(0),
		kgo.MetadataMinAge(time.Second),
	}
	if t.SASL != nil {
		options = append(options, kgo.SASL(mechanism(t.SASL, secrets.Values["kafka.sasl.password"])))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	return &kafkaSink{client}, nil
}

func mechanism(s *SASL, password string) sasl.Mechanism {
	auth := scram.Auth{User: s.User, Pass: password}
	switch s.Mechanism {
	case "scram-sha-256":
		return auth.AsSha256Mechanism()
	case "scram-sha-512":
		return auth.AsSha512Mechanism()
	}
	return plain.Auth{User: s.User, Pass: password}.AsMechanism()
}

// kafkaDialer dials brokers, also those that the named ones tell of, through the guard.
func kafkaDialer(t *Kafka, o sinkOptions) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := o.dial(ctx, network, address)
		if err != nil || !t.TLS {
			return conn, err
		}
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			_ = conn.Close()
			return nil, err
		}
		secure := tls.Client(conn, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12})
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return secure, nil
	}
}

// send implements sink.
func (s *kafkaSink) send(ctx context.Context, p *part) error {
	records := make([]*kgo.Record, len(p.records))
	for i := range p.records {
		r := &kgo.Record{Value: p.records[i].json, Timestamp: time.Unix(0, p.records[i].time), Headers: []kgo.RecordHeader{
			{Key: headerKeyBatch, Value: []byte(p.id)}, {Key: headerKeyRow, Value: []byte(strconv.Itoa(i))}, {Key: headerKeyForwarder, Value: []byte(p.forwarder)},
		}}
		if p.records[i].key != "" {
			r.Key = []byte(p.records[i].key)
		}
		records[i] = r
	}
	err := s.client.ProduceSync(ctx, records...).FirstErr()
	if errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.InvalidRecord) {
		return &refusal{err: err, final: true}
	}
	return err
}

func (s *kafkaSink) close() { s.client.Close() }
