package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// firstPause is between the first two tries; each further one is twice as long, up to maxPause.
	firstPause = 100 * time.Millisecond
	maxPause   = 2 * time.Second
	// tryTimeout bounds one try. What the cluster makes after it is found by the next.
	tryTimeout = 5 * time.Second
)

// Patience is how a start waits for NATS. A cluster that was started a moment ago takes longer than a client's usual five seconds for
// each stream and bucket: its servers find each other, elect a leader, then one for each stream, while every other process asks for
// the same. It is over at a fixed time; who asks later has a deadline of its own and gets the first answer.
type Patience struct {
	until time.Time
	limit string // what set the time, for the error
	log   *slog.Logger
	try   time.Duration // bounds one try
}

// NewPatience returns the patience of a start that begins now. limit names what the operator sets timeout by.
func NewPatience(timeout time.Duration, limit string, log *slog.Logger) *Patience {
	return &Patience{until: time.Now().Add(timeout), limit: fmt.Sprintf("%s (%s)", limit, timeout), log: log, try: tryTimeout}
}

// Wait calls try until it succeeds, or fails for a reason that time does not mend, or ctx or the patience ends. what names the thing
// that is waited for. try must do no harm when it is repeated after a success that it did not see, and bound itself.
func (p *Patience) Wait(ctx context.Context, what string, try func(ctx context.Context) error) error {
	begun := time.Now()
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		over := p.over()
		err := try(ctx)
		if over {
			return err
		}
		if err == nil || ctx.Err() != nil || !passing(err) {
			return err
		}
		if time.Now().Add(pause).After(p.until) {
			return fmt.Errorf("%s is not there after %s, and the start waits no longer than %s: %w", what, time.Since(begun).Round(time.Second), p.limit, err)
		}
		p.log.WarnContext(ctx, "waiting for NATS", slog.String("for", what), slog.Duration("waited", time.Since(begun).Round(time.Millisecond)), slog.Any("err", err))
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}

func (p *Patience) over() bool { return !time.Now().Before(p.until) }

// waitBriefly is Wait with a bound of each try.
func (p *Patience) waitBriefly(ctx context.Context, what string, try func(ctx context.Context) error) error {
	if p.over() {
		return try(ctx)
	}
	return p.Wait(ctx, what, func(ctx context.Context) error {
		attempt, cancel := context.WithTimeout(ctx, p.try)
		defer cancel()
		return try(attempt)
	})
}

// passing reports whether an error is one of a NATS that is about to be there: it does not answer, has no leader yet, or does not know
// as many servers as a stream is to have copies. A server that never gets JetStream tells the same as one that is starting it.
func passing(err error) bool {
	if api, ok := errors.AsType[jetstream.JetStreamError](err); ok && api.APIError() != nil {
		return slices.Contains(passingCodes(), api.APIError().ErrorCode)
	}
	return slices.ContainsFunc([]error{
		jetstream.ErrBucketNotFound, context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrNoServers, nats.ErrDisconnected, nats.ErrConnectionReconnecting,
	}, func(target error) bool { return errors.Is(err, target) })
}

// passingCodes are nats-server's codes of such errors.
func passingCodes() []jetstream.ErrorCode {
	const (
		noPeers           jetstream.ErrorCode = 10005 // no suitable peers for placement
		unavailable       jetstream.ErrorCode = 10008 // temporarily, without a leader
		cannotHandle      jetstream.ErrorCode = 10009
		notMember         jetstream.ErrorCode = 10044
		jetStreamDisabled                     = jetstream.JSErrCodeJetStreamNotEnabled
		notFound                              = jetstream.JSErrCodeStreamNotFound // though it is listed: somebody is having it made
	)
	return []jetstream.ErrorCode{noPeers, unavailable, cannotHandle, notMember, jetStreamDisabled, notFound}
}

// patient is a JetStream whose streams and buckets are made with patience.
type patient struct {
	jetstream.JetStream
	patience *Patience
}

// Patient returns js with its streams and buckets made, and brought to a configuration, with patience. All else is js's.
func Patient(js jetstream.JetStream, p *Patience) jetstream.JetStream { return &patient{js, p} }

// CreateOrUpdateStream implements jetstream.StreamManager.
func (p *patient) CreateOrUpdateStream(ctx context.Context, config jetstream.StreamConfig) (s jetstream.Stream, err error) {
	err = p.patience.waitBriefly(ctx, "stream "+config.Name, func(ctx context.Context) error {
		s, err = p.JetStream.CreateOrUpdateStream(ctx, config)
		return err
	})
	return s, err
}

// CreateOrUpdateKeyValue implements jetstream.KeyValueManager. A start gets a bucket that can be read: one that another process is
// having made is known to the cluster before any server answers for it.
func (p *patient) CreateOrUpdateKeyValue(ctx context.Context, config jetstream.KeyValueConfig) (kv jetstream.KeyValue, err error) {
	const noKey = "patience"
	err = p.patience.waitBriefly(ctx, "bucket "+config.Bucket, func(ctx context.Context) error {
		if kv, err = p.JetStream.CreateOrUpdateKeyValue(ctx, config); err != nil || p.patience.over() {
			return err
		}
		if _, err = kv.Get(ctx, noKey); errors.Is(err, jetstream.ErrKeyNotFound) {
			err = nil
		}
		return err
	})
	return kv, err
}
