package listen

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// A failed push is tried again after firstBackoff, then after twice as long each time up to maxBackoff.
const (
	firstBackoff = 100 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// Full reports whether the batch has as much as one push should carry. It depends on the rows alone, so that a message
// that is sent again is divided as it was the first time.
func (c *Conn) Full() bool {
	if c.batch == nil {
		return false
	}
	logs := &c.batch.Logs
	return logs.Len()+c.batch.Rejected.Rows() >= c.server.opts.BatchRows ||
		logs.Len()*seamark.LogRowBytes+len(logs.Attrs)*seamark.LabelBytes >= rowBytesPerByte*c.server.opts.BatchBytes
}

// rowBytesPerByte is how much larger than its text a batch may become in memory.
const rowBytesPerByte = 4

// Flush pushes the batch, for as long as it takes: nobody else has its rows any more. The batch's name is the
// connection's and its own, not its content's, because the same text sent twice without an acknowledgement is two
// messages. The error is Verify's when the token is no longer good, Push's when it cannot pass, and Canceled when the
// server ends; the rows are then dropped and counted.
func (c *Conn) Flush() error {
	if c.batch == nil {
		return nil
	}
	c.seq++
	err := c.push(c.ID(c.nonce, strconv.FormatUint(c.seq, 10)), 0)
	if err != nil {
		reason, detail := "seamark-stream-push", "The rows could not be stored."
		if e, ok := errors.AsType[*seamark.Error](err); ok {
			reason, detail = e.ID, e.Message
		}
		c.dropBatch(reason, detail)
	}
	c.settle()
	return err
}

// FlushKept pushes the batch under a name of the caller's, for at most patience. The sender keeps what it sent until it is
// acknowledged and sends it again otherwise, so that an error loses nothing.
func (c *Conn) FlushKept(id string, patience time.Duration) error {
	if c.batch == nil {
		return nil
	}
	err := c.push(id, patience)
	c.settle()
	return err
}

// Forget gives up the rows of the batch, which the sender still has.
func (c *Conn) Forget() { c.settle() }

// ID makes the name of a push from what identifies it. Names of two clusters never meet.
func (c *Conn) ID(parts ...string) string {
	h := sha256.New()
	for _, part := range append([]string{string(c.principal.Tenant), string(c.principal.Cluster), c.server.protocol.Name}, parts...) {
		_, _ = io.WriteString(h, strconv.Itoa(len(part))+":"+part) // the length keeps parts apart
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// push tries until the batch is stored, the error cannot pass, or patience (zero: for ever) or the server ends.
func (c *Conn) push(id string, patience time.Duration) error {
	if c.batch.Rows() == 0 && c.batch.Rejected.Rows() == 0 {
		return nil
	}
	began, backoff := time.Now(), firstBackoff
	for {
		err := c.reverify()
		if err == nil {
			err = c.server.opts.Push(c.work, c.principal, seamark.Logs, id, c.batch)
		}
		if err == nil || !passes(err) {
			return err
		}
		wait := backoff/2 + rand.N(backoff) // spread, so that connections do not come back together
		if e, ok := errors.AsType[*seamark.Error](err); ok && e.RetryAfter > wait {
			wait = min(e.RetryAfter, 30*time.Second)
		}
		if patience > 0 && time.Since(began)+wait > patience {
			return err
		}
		c.server.metrics.retries.Inc()
		select {
		case <-c.work.Done():
			return seamark.Wrap(err, seamark.Canceled, "seamark-stream-ended", "The server ended before the rows could be stored.")
		case <-time.After(wait):
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// passes reports whether a push that failed with err may succeed later.
func passes(err error) bool {
	switch seamark.KindOf(err) {
	case seamark.Unavailable, seamark.Timeout, seamark.Internal, seamark.RateLimited, seamark.Canceled:
		return true
	}
	return false
}

// settle makes the connection ready for the next batch. Waiting for the push was our doing: the peer's clocks begin anew.
func (c *Conn) settle() {
	c.forgetBatch()
	c.pushed = true
	c.heard, c.partial = time.Now(), time.Time{}
}

func (c *Conn) forgetBatch() {
	if c.batch != nil {
		small := c.rows.held <= 1<<20 // a large batch is left to the collector
		c.batch.Reset()
		if small {
			c.server.batches.Put(c.batch)
		}
		c.batch = nil
	}
	c.rows.release()
}

// dropBatch counts the rows of the batch as lost.
func (c *Conn) dropBatch(reason, detail string) {
	if c.batch == nil {
		return
	}
	if n := c.batch.Rows(); n > 0 {
		c.Drop(n, 0, reason, detail)
	}
}

// Drop counts n rows, or messages, of so many bytes (0: unknown) that are lost.
func (c *Conn) Drop(n, bytes int, reason, detail string) {
	s := c.server
	s.metrics.dropped.WithLabelValues(reason).Add(float64(n))
	if !c.Proven() {
		return // its connection is closed for that, which the log hears; no tenant's ledger has a place for it
	}
	now := s.opts.Now()
	if silent, due := s.notes.due(note{reason: "dropped " + reason, who: c.who()}, now); due {
		s.opts.Logger.Warn("rows dropped", "protocol", s.protocol.Name, "reason", reason, "detail", detail, "rows", n,
			"tenant", c.principal.Tenant, "token", c.principal.CredentialID, "remote", c.remote(), "again", silent)
	}
	if s.opts.Dropped != nil {
		s.opts.Dropped(c.principal, seamark.Drop{
			Time: now, Cluster: c.principal.ClusterName, Token: c.principal.CredentialID, Protocol: s.protocol.Name,
			Signal: seamark.Logs, Reason: reason, Requests: 1, Rows: uint64(max(n, 0)), Bytes: uint64(max(bytes, 0)), Detail: detail,
		})
	}
}
