package syslog

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/ingest/syslog/listen"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options configures a Server.
type Options struct {
	Listen listen.Options
	// MaxMessageBytes bounds a message with its header. Longer ones are passed over and counted: without it one sender
	// that never ends a line takes all memory.
	MaxMessageBytes int
	// Location is the zone of timestamps that tell none, as RFC 3164's do. nil means UTC.
	Location *time.Location
}

// DefaultOptions returns the options of one listener without its connections to the rest.
func DefaultOptions() Options {
	limits := seamark.DefaultLimits()
	const header = 16 << 10 // of structured data before the text
	return Options{Listen: listen.DefaultOptions(), MaxMessageBytes: limits.MaxLineBytes + header}
}

func (o *Options) validate() error {
	const least = 2048 // RFC 5424 section 6.1 and RFC 5425 section 4.3.1: what a receiver should be able to take
	if o.MaxMessageBytes < least {
		return errors.New("syslog: MaxMessageBytes must be at least 2048, which RFC 5424 asks of receivers")
	}
	return nil
}

// Server takes syslog on one listener. Make one with New.
type Server struct {
	opts     Options
	listener *listen.Server
	sessions sync.Pool // *session
}

// New makes a Server.
func New(o Options) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Server{opts: o, sessions: sync.Pool{New: func() any { return &session{decoder: NewDecoder()} }}}
	const count = maxCount + 1
	listener, err := listen.New(o.Listen, listen.Protocol{Name: "syslog", MaxMessageBytes: o.MaxMessageBytes + count, Serve: s.serve})
	if err != nil {
		return nil, err
	}
	s.listener = listener
	return s, nil
}

// Serve takes connections until ctx ends, pushes what it holds, and returns nil. The error is the listener's.
func (s *Server) Serve(ctx context.Context) error { return s.listener.Serve(ctx) }

// session is scratch memory for the messages of one connection that are there at once.
type session struct {
	decoder *Decoder
	message Message
}

// begin takes what holds for the messages that follow: the limits of the connection's tenant, once that is known.
func (p *session) begin(c *listen.Conn) {
	o := DecodeOptions{Now: c.Now()}
	if c.Proven() {
		o.MaxAttrs = c.MaxAttrs()
	}
	p.decoder.Begin(o)
}

// serve reads one connection.
func (s *Server) serve(c *listen.Conn) error {
	f := framer{max: s.opts.MaxMessageBytes}
	for {
		if err := s.messages(c, &f); err != nil {
			return err
		}
		if err := c.Fill(); err != nil {
			return s.end(c, &f, err)
		}
	}
}

// messages takes every whole message that is there. What they need is borrowed for that long alone: most connections are
// idle at any moment.
func (s *Server) messages(c *listen.Conn, f *framer) error {
	p, _ := s.sessions.Get().(*session)
	defer s.sessions.Put(p)
	p.begin(c)
	defer p.decoder.Release()
	for {
		found := f.next(c.Unread())
		c.Consume(found.used)
		switch {
		case found.lost:
			return seamark.Errorf(seamark.Invalid, "seamark-syslog-framing",
				"A message does not begin with its length, as this connection's first one did. Use one framing for a whole connection (RFC 6587).")
		case found.long:
			if err := s.refuse(c, "seamark-syslog-message", tooLong(s.opts.MaxMessageBytes)); err != nil {
				return err
			}
		case len(found.message) > 0:
			if err := s.message(c, p, found.message); err != nil {
				return err
			}
		case found.more:
			return nil
		}
	}
}

func tooLong(limit int) string {
	return seamark.Errorf(seamark.TooLarge, "seamark-syslog-message",
		"A message is longer than the limit of %d bytes and was passed over. Send shorter messages, or end each with a newline.", limit).Message
}

// message takes one message.
func (s *Server) message(c *listen.Conn, p *session, text []byte) error {
	clock := Clock{Now: c.Now(), Location: s.opts.Location}
	if !Parse(text, clock, &p.message) {
		return s.refuse(c, "seamark-syslog-token",
			`A message holds a token ([seamark@0 token="..."]) outside of well-formed structured data and was not stored. Correct the sender's template.`)
	}
	if p.message.Token != "" {
		if err := c.Prove(p.message.Token); err != nil {
			c.Drop(1, len(text), "seamark-stream-unproven", "A message's token was refused.")
			return err
		}
		p.begin(c) // this message's rows are its owner's
	}
	if !c.Proven() {
		return s.refuse(c, "", "")
	}
	if p.message.Body == "" && len(p.message.Params) == 0 {
		return nil // a keep-alive, or a message that only shows the token
	}
	if err := p.decoder.Append(&p.message, c.Catalog(), c.Batch()); err != nil {
		c.Drop(1, len(text), "seamark-stream-memory", "A message was lost because the server had no memory for it.")
		return err
	}
	return s.flushFull(c)
}

// refuse counts a message that is not taken. One of an unknown sender ends the connection.
func (s *Server) refuse(c *listen.Conn, reason, detail string) error {
	if !c.Proven() {
		c.Drop(1, 0, "seamark-stream-unproven", "A message came before its sender had shown a token.")
		return c.Unproven(`Give the listener a token, connect with a client certificate, or put [seamark@0 token="..."] into the structured data of RFC 5424 messages.`)
	}
	c.Batch().Rejected.Add(seamark.Logs, 1, reason, detail)
	return s.flushFull(c)
}

func (s *Server) flushFull(c *listen.Conn) error {
	if c.Full() {
		return c.Flush()
	}
	return nil
}

// end takes what is left when the connection ends: a last line may lack its newline when the sender has closed in order.
func (s *Server) end(c *listen.Conn, f *framer, cause error) error {
	rest := c.Unread()
	switch {
	case len(rest) == 0 || f.inLong:
		return cause
	case f.framing != counted && errors.Is(cause, io.EOF):
		p, _ := s.sessions.Get().(*session)
		defer s.sessions.Put(p)
		p.begin(c)
		defer p.decoder.Release()
		c.Consume(len(rest))
		if err := s.message(c, p, rest); err != nil {
			return err
		}
		return cause
	}
	c.Drop(1, len(rest), "seamark-syslog-cut", "The connection ended in the middle of a message.")
	return cause
}
