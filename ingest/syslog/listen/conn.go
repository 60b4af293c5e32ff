package listen

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// firstBuffer is what an idle connection holds.
const firstBuffer = 4 << 10

// stallRate is how many bytes buy a begun message another second.
const stallRate = 4 << 10

// errDraining ends a connection when the server drains.
var errDraining = errors.New("the server is draining")

// Conn is one connection. Its methods are for the goroutine that Protocol.Serve runs on.
//
// Bytes that were read stand in one buffer and are used where they stand: the rows of the batch alias it. They are
// overwritten by Fill, and only after the batch has been pushed.
type Conn struct {
	server *Server
	conn   net.Conn
	work   context.Context // ends when draining has taken too long
	nonce  string
	began  time.Time

	assumed   bool // the listener's token stands for a sender that has shown none and sent no row
	token     string
	principal seamark.Principal
	catalog   seamark.Catalog

	buf     []byte // buf[at:end] is unread
	at, end int
	pushed  bool // a batch was pushed since the buffer was last reused
	full    bool // the buffer was too small for what came before that push

	batch *seamark.Batch // nil while there are no rows
	rows  rowClaim
	extra int64     // bytes borrowed beside buffer and rows
	since time.Time // when the batch got its first row
	seq   uint64    // of the batches

	heard        time.Time // when the peer last sent something, or was last made to wait
	partial      time.Time // when the message at the buffer's start began to arrive, zero when there is none
	partialBytes int

	mu       sync.Mutex // guards draining and the order of deadlines
	draining bool
}

// Unread returns the bytes that were read and not consumed. They are valid until Fill, and beyond it where rows of the
// batch alias them.
func (c *Conn) Unread() []byte { return c.buf[c.at:c.end] }

// Consume marks n bytes as read.
func (c *Conn) Consume(n int) {
	c.at += n
	if n > 0 {
		c.partial = time.Time{}
	}
}

// Fill reads at least one byte more. Rows that wait are pushed before the buffer is used again and when they grow old.
// Errors: io.EOF at the end of the stream, a *seamark.Error when the peer is idle, slow or never proves itself, what Flush
// returns, and an error that Protocol.Serve passes on when the server drains.
func (c *Conn) Fill() error {
	if c.heard.IsZero() {
		c.heard = time.Now()
	}
	for {
		if err := c.makeRoom(); err != nil {
			return err
		}
		if c.partial.IsZero() && c.end > c.at {
			c.partial, c.partialBytes = time.Now(), c.end-c.at
		}
		n, err := c.read()
		if n > 0 {
			c.end += n
			c.partialBytes += n
			c.heard = time.Now()
			c.server.metrics.bytes.Add(float64(n))
			return nil
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err := c.overdue(time.Now()); err != nil {
				return err
			}
		case errors.Is(err, io.EOF):
			return io.EOF
		case err != nil:
			return seamark.Wrap(err, seamark.Canceled, "seamark-stream-broken", "The connection broke.")
		}
	}
}

// read reads once, until the next deadline.
func (c *Conn) read() (int, error) {
	next := c.heard.Add(c.server.opts.IdleTimeout)
	if c.batch != nil {
		next = sooner(next, c.since.Add(c.server.opts.BatchAge))
	}
	if !c.partial.IsZero() {
		next = sooner(next, c.stalled())
	}
	if !c.Proven() {
		next = sooner(next, c.began.Add(c.server.opts.ProofTimeout))
	}
	c.mu.Lock()
	if c.draining {
		next = time.Unix(1, 0)
	}
	_ = c.conn.SetReadDeadline(next) // it fails on a connection that is closed, which reading tells as well
	c.mu.Unlock()
	return c.conn.Read(c.buf[c.end:])
}

func sooner(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// stalled returns when the message that is arriving has taken too long.
func (c *Conn) stalled() time.Time {
	return c.partial.Add(c.server.opts.StallTimeout + time.Duration(c.partialBytes)*time.Second/stallRate)
}

// overdue does what a deadline asks for: it pushes the batch, or says why the connection ends.
func (c *Conn) overdue(now time.Time) error {
	o := &c.server.opts
	c.mu.Lock()
	draining := c.draining
	c.mu.Unlock()
	switch {
	case draining:
		return errDraining
	case c.batch != nil && !now.Before(c.since.Add(o.BatchAge)):
		return c.Flush()
	case !c.Proven() && !now.Before(c.began.Add(o.ProofTimeout)):
		return seamark.Errorf(seamark.Unauthenticated, "seamark-stream-silent",
			"The connection showed no token within %s.", o.ProofTimeout)
	case !c.partial.IsZero() && !now.Before(c.stalled()):
		return seamark.Errorf(seamark.Timeout, "seamark-stream-slow",
			"A message came too slowly: %d bytes of it in %s. Send at least %d bytes a second.", c.partialBytes, now.Sub(c.partial), stallRate)
	case !now.Before(c.heard.Add(o.IdleTimeout)):
		return seamark.Errorf(seamark.Timeout, "seamark-stream-idle", "The connection sent nothing for %s.", o.IdleTimeout)
	}
	return nil
}

// drain makes the connection stop reading. It is called by the server.
func (c *Conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	_ = c.conn.SetReadDeadline(time.Unix(1, 0)) // a connection that is closed needs no deadline
}

// makeRoom makes the buffer have a free byte at its end.
func (c *Conn) makeRoom() error {
	if c.buf == nil {
		return c.resize(firstBuffer)
	}
	if c.batch != nil && c.end == len(c.buf) {
		c.full = true
		if err := c.Flush(); err != nil {
			return err
		}
	}
	if c.batch == nil {
		c.reuse()
	}
	if c.end < len(c.buf) {
		return nil
	}
	most := max(c.server.opts.BatchBytes, c.server.protocol.MaxMessageBytes)
	if len(c.buf) >= most {
		return seamark.Errorf(seamark.TooLarge, "seamark-stream-message", "A message is longer than %d bytes. Send shorter ones.", most)
	}
	return c.resize(min(2*len(c.buf), most))
}

// reuse moves the unread bytes to the buffer's start: no row needs what stood there. After a push it also gives the
// buffer the size that its batch asked for: a busy sender fills a large one, and one that became quiet gives it back.
func (c *Conn) reuse() {
	used := c.at
	if c.at > 0 {
		c.end = copy(c.buf, c.buf[c.at:c.end])
		c.at = 0
	}
	if !c.pushed {
		return
	}
	size := len(c.buf)
	switch {
	case c.full && size < c.server.opts.BatchBytes:
		size = min(2*size, c.server.opts.BatchBytes)
	case !c.full && size > firstBuffer && used < size/4 && c.end < size/2:
		size = max(size/2, firstBuffer)
	}
	c.pushed, c.full = false, false
	if size != len(c.buf) && c.server.memory.tryClaim(int64(size)) {
		c.replace(size)
	}
}

// resize gives the buffer another size. The batch is empty and the unread bytes stand at the start.
func (c *Conn) resize(size int) error {
	if err := c.server.memory.claim(c.work, int64(size)); err != nil {
		return err
	}
	c.replace(size)
	return nil
}

// replace makes a buffer whose size is claimed already.
func (c *Conn) replace(size int) {
	buf := make([]byte, size)
	copy(buf, c.buf[:c.end])
	old := int64(len(c.buf))
	c.buf = buf
	c.server.memory.drop(old)
}

// Batch returns the batch that rows are appended to.
func (c *Conn) Batch() *seamark.Batch {
	c.assumed = false
	if c.batch == nil {
		c.batch, _ = c.server.batches.Get().(*seamark.Batch)
		c.batch.Claim = &c.rows
		c.since = time.Now()
	}
	return c.batch
}

// Write writes all of p within ten seconds: a peer that does not read its answers must not hold a connection.
func (c *Conn) Write(p []byte) (int, error) {
	const patience = 10 * time.Second
	_ = c.conn.SetWriteDeadline(time.Now().Add(patience)) // where it cannot be set, the write fails as well
	n, err := c.conn.Write(p)
	if err != nil {
		return n, seamark.Wrap(err, seamark.Canceled, "seamark-stream-unanswered", "The peer did not take an answer within %s.", patience)
	}
	return n, nil
}

// Borrow claims n bytes beside buffer and rows, as for an inflated message, until Return.
func (c *Conn) Borrow(n int64) error {
	err := c.server.memory.claim(c.work, n)
	if err == nil {
		c.extra += n
	}
	return err
}

// Return gives back what was borrowed.
func (c *Conn) Return() {
	n := c.extra
	c.extra = 0
	c.server.memory.drop(n)
}

// Context ends when the server has to end; work on the connection's behalf runs under it.
func (c *Conn) Context() context.Context { return c.work }

// MaxAttrs is how many attributes a row of the proven principal may have. It is for rows, so only after Proven.
func (c *Conn) MaxAttrs() int { return c.server.opts.MaxAttrs(c.principal) }

// Now returns the time that messages without one are given.
func (c *Conn) Now() time.Time { return c.server.opts.Now() }

func (c *Conn) remote() string { return c.conn.RemoteAddr().String() }

// who names the sender for the log: its token, or the address without its port.
func (c *Conn) who() string {
	if c.Proven() {
		return c.principal.CredentialID
	}
	host, _, err := net.SplitHostPort(c.remote())
	if err != nil {
		return c.remote()
	}
	return host
}

// release gives back all memory.
func (c *Conn) release() {
	c.forgetBatch()
	c.Return()
	n := int64(len(c.buf))
	c.buf, c.at, c.end = nil, 0, 0
	c.server.memory.drop(n)
}
