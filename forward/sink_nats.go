package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/guard"
)

// natsConnectTimeout bounds the making of a connection.
const natsConnectTimeout = 10 * time.Second

// natsSink publishes each row as a message. Its id is the part's and the row's number, so that a stream with a window for
// duplicates takes a repeat once.
type natsSink struct {
	target  *NATS
	secrets *safe
	opts    sinkOptions

	mu sync.Mutex // guards conn and js
	nc *nats.Conn
	js jetstream.JetStream
}

// natsWindow bounds the messages that are under way: the client gives up on those that wait for long behind others.
const natsWindow = 1000

// The headers of a message, and of a Kafka record.
const (
	headerKeyBatch     = "seamark-batch"
	headerKeyRow       = "seamark-row"
	headerKeyForwarder = "seamark-forwarder"
)

// connection returns the connection, which it makes when there is none: one that has been lost is not mended in the
// background, since an attempt of a forwarder must fail for its backoff to count.
func (s *natsSink) connection() (*nats.Conn, jetstream.JetStream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nc != nil && s.nc.IsConnected() {
		return s.nc, s.js, nil
	}
	if s.nc != nil {
		s.nc.Close()
		s.nc = nil
	}
	options := []nats.Option{
		nats.Name("seamark forwarder"), nats.NoReconnect(), nats.Timeout(natsConnectTimeout),
		nats.SetCustomDialer(guardedDialer{s.opts.dial}),
	}
	if token := s.secrets.Values["nats.token"]; token != "" {
		options = append(options, nats.Token(token))
	}
	if creds := s.secrets.Values["nats.credentials"]; creds != "" {
		options = append(options, nats.UserCredentialBytes([]byte(creds)))
	}
	nc, err := nats.Connect(s.target.URL, options...)
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	s.nc, s.js = nc, js
	return nc, js, nil
}

// send implements sink.
func (s *natsSink) send(ctx context.Context, p *part) error {
	nc, js, err := s.connection()
	if err != nil {
		return err
	}
	futures := make([]jetstream.PubAckFuture, 0, natsWindow)
	for i := range p.records {
		if len(futures) == natsWindow {
			if err := s.await(ctx, futures); err != nil {
				return err
			}
			futures = futures[:0]
		}
		if most := nc.MaxPayload(); int64(len(p.records[i].json)) > most {
			return final("a row has %d bytes, and the target's messages at most %d", len(p.records[i].json), most)
		}
		msg := nats.NewMsg(s.target.Subject)
		msg.Header.Set(jetstream.MsgIDHeader, p.id+"."+strconv.Itoa(i))
		msg.Header.Set(headerKeyBatch, p.id)
		msg.Header.Set(headerKeyForwarder, p.forwarder)
		msg.Data = p.records[i].json
		future, err := js.PublishMsgAsync(msg, jetstream.WithRetryAttempts(0))
		if err != nil {
			return err
		}
		futures = append(futures, future)
	}
	return s.await(ctx, futures)
}

// await returns when the target has said that it has all messages.
func (s *natsSink) await(ctx context.Context, futures []jetstream.PubAckFuture) error {
	for _, future := range futures {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-future.Ok():
		case err := <-future.Err():
			if errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoResponders) {
				return fmt.Errorf("no stream of the target takes the subject %s, so nobody says that it has the messages", s.target.Subject)
			}
			return err
		}
	}
	return nil
}

func (s *natsSink) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nc != nil {
		s.nc.Close()
	}
}

// guardedDialer implements nats.CustomDialer.
type guardedDialer struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Dial implements nats.CustomDialer.
func (d guardedDialer) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), natsConnectTimeout)
	defer cancel()
	return d.dial(ctx, network, address)
}

func checkHost(g *guard.Guard, text string) error {
	const standardPort = 4222
	u, err := url.Parse(text)
	if err != nil {
		return errors.New("it is not an absolute URL")
	}
	return g.CheckHost(u.Hostname(), u.Port(), standardPort)
}
