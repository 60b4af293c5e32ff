package forward

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/ingest/inflate"
	"github.com/seamarkhq/seamark/ingest/syslog/listen"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options configures a Server.
type Options struct {
	Listen listen.Options
	// SharedKey, when set, makes the listener do the handshake with every client, and refuse one without the key.
	SharedKey string
	// ServerName is the name that PONG tells. Fluentd refuses a server with its own name.
	ServerName string
	// MaxMessageBytes bounds one message as sent. Without it one client that announces gigabytes takes all memory.
	MaxMessageBytes int
	// MaxInflatedBytes bounds the entries of a compressed message. Without it a bomb of a few KiB takes all memory.
	MaxInflatedBytes int
	// AckPatience is how long a chunk is tried to be stored. Then its connection ends without an acknowledgement, and its
	// sender sends it again: it lies below the time that senders wait (Fluentd: 190 s), so that they hear of it.
	AckPatience time.Duration
}

// DefaultOptions returns the options of one listener without its connections to the rest.
func DefaultOptions() Options {
	limits := seamark.DefaultLimits()
	const frame = 2 << 20 // what tag, options and packing may add to a chunk of Fluentd's default size, 8 MiB
	shared := listen.DefaultOptions()
	shared.MaxMemoryBytes = 96 << 20 // the largest message, inflated, is much larger than a batch of lines
	return Options{
		Listen: shared, ServerName: "seamark", MaxMessageBytes: int(limits.MaxBodyBytes) + frame,
		MaxInflatedBytes: int(limits.MaxInflatedBytes), AckPatience: time.Minute,
	}
}

func (o *Options) validate() error {
	switch {
	case o.Listen.Token == "" && o.Listen.CertificateToken == nil && o.SharedKey == "":
		return errors.New("forward: one of Token, CertificateToken and SharedKey is required, because nothing else proves a tenant")
	case o.SharedKey != "" && o.ServerName == "":
		return errors.New("forward: SharedKey needs a ServerName")
	case o.MaxMessageBytes < 64<<10 || o.MaxInflatedBytes < 64<<10:
		return errors.New("forward: MaxMessageBytes and MaxInflatedBytes must be at least 64 KiB")
	case 2*int64(o.MaxInflatedBytes)+2*int64(o.MaxMessageBytes)+8*int64(o.Listen.BatchBytes) > o.Listen.MaxMemoryBytes:
		return fmt.Errorf("forward: MaxMemoryBytes (%d) must hold a message (%d) and its inflated form (%d) twice, as they grow, and eight batches (%d)",
			o.Listen.MaxMemoryBytes, o.MaxMessageBytes, o.MaxInflatedBytes, o.Listen.BatchBytes)
	case o.AckPatience <= 0:
		return errors.New("forward: AckPatience must be positive")
	}
	return nil
}

// Server takes the forward protocol on one listener. Make one with New.
type Server struct {
	opts     Options
	listener *listen.Server
	inflater *inflate.Inflater
	decoders sync.Pool // *Decoder
}

// New makes a Server.
func New(o Options) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	inflater, err := inflate.New(inflate.Options{})
	if err != nil {
		return nil, err
	}
	s := &Server{opts: o, inflater: inflater, decoders: sync.Pool{New: func() any { return NewDecoder() }}}
	s.listener, err = listen.New(o.Listen, listen.Protocol{Name: "forward", MaxMessageBytes: o.MaxMessageBytes, Serve: s.serve})
	return s, err
}

// Serve takes connections until ctx ends, pushes what it holds, and returns nil. The error is the listener's.
func (s *Server) Serve(ctx context.Context) error { return s.listener.Serve(ctx) }

// serve speaks the protocol on one connection.
func (s *Server) serve(c *listen.Conn) error {
	var end sizer
	if s.opts.SharedKey != "" {
		if err := s.shakeHands(c, &end); err != nil {
			return err
		}
	}
	if !c.Proven() {
		return c.Unproven("Connect with a client certificate that has a token, or use a listener with a shared key or a token.")
	}
	for {
		raw, err := s.next(c, &end)
		if err != nil {
			return err
		}
		if h, _ := parseHeader(raw); h.kind == kindNil {
			continue // a heartbeat
		}
		if err := s.take(c, raw); err != nil {
			return err
		}
	}
}

// next reads one value. Its bytes stay where they are until the batch that they become a part of is pushed.
func (s *Server) next(c *listen.Conn, end *sizer) ([]byte, error) {
	for {
		n, fault := end.size(c.Unread(), s.opts.MaxMessageBytes)
		switch {
		case fault == faultNever:
			return nil, seamark.Errorf(seamark.Invalid, badFrameID,
				"Byte %d of a message begins no MessagePack value. Is the sender one of the Fluent forward protocol?", end.at)
		case fault == faultLarge:
			return nil, seamark.Errorf(seamark.TooLarge, "seamark-forward-large",
				"A message is longer than the limit of %d bytes. Set the sender's chunk_limit_size to 8m or less.", s.opts.MaxMessageBytes)
		case n > 0:
			raw := c.Unread()[:n:n]
			c.Consume(n)
			return raw, nil
		}
		err := c.Fill()
		if errors.Is(err, io.EOF) && len(c.Unread()) > 0 {
			return nil, seamark.Errorf(seamark.Canceled, "seamark-forward-cut", "The connection ended in the middle of a message.")
		}
		if err != nil {
			return nil, err
		}
	}
}

// shakeHands does the handshake, which proves the tenant by the user's name unless listener or certificate have.
func (s *Server) shakeHands(c *listen.Conn, end *sizer) error {
	h := newHandshake(s.opts.SharedKey, s.opts.ServerName, !c.Proven())
	if _, err := c.Write(h.helo()); err != nil {
		return err
	}
	raw, err := s.next(c, end)
	if err != nil {
		return err
	}
	p, err := parsePing(raw)
	if err == nil {
		err = s.checkPing(c, h, &p)
	}
	if err != nil {
		reason := "The token could not be checked."
		if e, ok := errors.AsType[*seamark.Error](err); ok {
			reason = e.Message
		}
		_, _ = c.Write(refusal(reason)) // the connection ends either way
		return err
	}
	_, err = c.Write(h.pong(&p))
	return err
}

func (s *Server) checkPing(c *listen.Conn, h *handshake, p *ping) error {
	if !h.knows(p) {
		return seamark.Errorf(seamark.Unauthenticated, "seamark-forward-key", "The shared key is not this listener's.")
	}
	switch {
	case c.Proven():
		return nil
	case p.user == "":
		return c.Unproven("Set the sender's username to the ingest token; the password may be anything.")
	}
	return c.Prove(p.user)
}

// take stores one message and acknowledges it when asked to.
func (s *Server) take(c *listen.Conn, raw []byte) error {
	var f Frame
	if err := ParseFrame(raw, &f); err != nil {
		c.Drop(1, len(raw), badFrameID, "A message of another form than the protocol's.")
		return err
	}
	d, _ := s.decoders.Get().(*Decoder)
	defer s.decoders.Put(d)
	defer c.Return()
	err := s.open(c, &f)
	if err == nil {
		if f.Chunk == "" {
			return s.gather(c, d, &f)
		}
		err = s.store(c, d, &f)
	}
	return s.refuse(c, &f, len(raw), err)
}

// refuse ends the connection of a chunk that was not stored; without a chunk the sender keeps nothing, so the message is
// lost and the connection goes on.
func (s *Server) refuse(c *listen.Conn, f *Frame, size int, err error) error {
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok {
		return err
	}
	never := e.Kind == seamark.Invalid || e.Kind == seamark.TooLarge || e.Kind == seamark.Unsupported
	if never || f.Chunk == "" {
		c.Drop(max(f.Missing(), 1), size, e.ID, e.Message)
	}
	if never && f.Chunk == "" {
		return nil
	}
	return err
}

// open checks that a message has logs, and inflates compressed ones.
func (s *Server) open(c *listen.Conn, f *Frame) error {
	if f.Signal != 0 {
		return seamark.Errorf(seamark.Unsupported, "seamark-forward-signal",
			"A message with the tag %.64q has metrics or traces (fluent_signal %d); this listener takes logs. Send those over OTLP.", f.Tag, f.Signal)
	}
	if f.Compressed == "" || f.Compressed == "text" {
		return nil
	}
	packed := f.Packed()
	if packed == nil {
		return seamark.Errorf(seamark.Invalid, badFrameID, "A message says that it is compressed (%.64q) and has no packed entries.", f.Compressed)
	}
	entries, err := s.inflater.Inflate(c.Context(), nil, inflate.Request{
		Body: packed, Encoding: f.Compressed, Limit: int64(s.opts.MaxInflatedBytes), Grow: c.Borrow,
	})
	f.SetPacked(entries)
	return err
}

// gather adds a message without a chunk to the connection's batch.
func (s *Server) gather(c *listen.Conn, d *Decoder, f *Frame) error {
	for {
		more, err := d.Decode(f, c.Catalog(), c.Batch(), s.decodeOptions(c))
		if err != nil {
			return s.refuse(c, f, len(f.content()), err)
		}
		if more || c.Full() || f.inflated { // rows of inflated entries lie in memory that is given back with them
			if err := c.Flush(); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// store pushes a message with a chunk, in parts when it is large, and acknowledges it. The names of its parts are made of
// its content, so that parts that were stored when it was sent before are not stored again.
func (s *Server) store(c *listen.Conn, d *Decoder, f *Frame) error {
	if err := c.Flush(); err != nil { // what came before it
		return err
	}
	sum := sha256.Sum256(f.content())
	for part := 0; ; part++ {
		more, err := d.Decode(f, c.Catalog(), c.Batch(), s.decodeOptions(c))
		if err != nil {
			c.Forget()
			return err
		}
		id := c.ID(f.Tag, f.Chunk, string(sum[:]), strconv.Itoa(part))
		if err := c.FlushKept(id, s.opts.AckPatience); err != nil {
			return err
		}
		if !more {
			_, err := c.Write(acknowledgement(nil, f.Chunk))
			return err
		}
	}
}

func (s *Server) decodeOptions(c *listen.Conn) DecodeOptions {
	return DecodeOptions{Now: c.Now(), MaxAttrs: c.MaxAttrs(), Full: c.Full}
}
