package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// SQLAnswer is the answer of a customer's statement, in the form that was asked for. It is read by one goroutine.
type SQLAnswer struct {
	sql    *SQL
	ctx    context.Context // of the query; it ends with Close
	cancel context.CancelFunc
	tenant seamark.TenantID
	db, id string
	body   io.ReadCloser

	marker   string // what an error in the middle of an answer begins with; its end differs from query to query
	pending  []byte // read, not given out
	ended    error
	written  uint64
	maxBytes uint64

	told  Reads // what the meter knows
	asked time.Time
}

// Reads returns what the query has read, as far as is known: all of it, for an answer that was read to its end.
func (a *SQLAnswer) Reads() Reads { return a.told }

// tell meters what the query has read up to now.
func (a *SQLAnswer) tell(now Reads) {
	more := Reads{Rows: since(now.Rows, a.told.Rows), Bytes: since(now.Bytes, a.told.Bytes), CPUMicros: since(now.CPUMicros, a.told.CPUMicros)}
	if more == (Reads{}) {
		return
	}
	a.told = Reads{Rows: a.told.Rows + more.Rows, Bytes: a.told.Bytes + more.Bytes, CPUMicros: a.told.CPUMicros + more.CPUMicros}
	if read := a.sql.store.opts.Read; read != nil {
		read(a.ctx, a.tenant, more)
	}
}

func since(now, then uint64) uint64 {
	if now < then {
		return 0
	}
	return now - then
}

// askEvery is how often the server is asked what a query has read whose answer goes on after its headers.
const askEvery = 200 * time.Millisecond

// ask learns what the query has read from the list of those that run.
func (a *SQLAnswer) ask() {
	if now := time.Now(); now.Sub(a.asked) > askEvery {
		a.asked = now
		var r Reads
		err := a.sql.store.admin.QueryRow(a.ctx,
			"SELECT read_rows, read_bytes, ProfileEvents['OSCPUVirtualTimeMicroseconds'] FROM system.processes WHERE query_id = ?", a.id).
			Scan(&r.Rows, &r.Bytes, &r.CPUMicros)
		if err == nil { // a query that is over is in no list
			a.tell(r)
		}
	}
}

// Read implements io.Reader. An error of the query in the middle of its answer is the error of a Read, and nothing of its text
// is given out before.
func (a *SQLAnswer) Read(p []byte) (int, error) {
	for {
		if n := a.ready(); n > 0 {
			n = copy(p, a.pending[:n])
			a.pending = a.pending[n:]
			a.written += uint64(n)
			if a.maxBytes > 0 && a.written > a.maxBytes {
				a.ended = seamark.Errorf(seamark.Unprocessable, "seamark-sql-result-bytes",
					"The answer is longer than %d bytes. Ask for fewer rows or columns, or add a LIMIT.", a.maxBytes)
				a.pending = nil
				return 0, a.ended
			}
			return n, nil
		}
		if a.ended != nil {
			return 0, a.ended
		}
		a.fill()
	}
}

// ready is how many pending bytes are certainly no part of an error's mark.
func (a *SQLAnswer) ready() int {
	if a.ended != nil {
		return len(a.pending)
	}
	return max(0, len(a.pending)-len(a.marker)+1)
}

// fill reads more from the engine, and ends the answer where that ends or an error begins.
func (a *SQLAnswer) fill() {
	const chunk = 64 << 10
	from := max(0, len(a.pending)-len(a.marker)+1)
	fresh := make([]byte, len(a.pending), len(a.pending)+chunk)
	copy(fresh, a.pending)
	n, err := a.body.Read(fresh[len(fresh):cap(fresh)])
	a.pending = fresh[:len(fresh)+n]
	if at := bytes.Index(a.pending[from:], []byte(a.marker)); at >= 0 {
		at += from
		message, _ := io.ReadAll(io.LimitReader(a.body, maxSQLError)) // the engine cuts the connection behind it
		message = append(a.pending[at+len(a.marker):], message...)
		a.ended = sqlError(string(bytes.TrimSpace(message)), a.db)
		a.pending = a.pending[:at]
		return
	}
	switch {
	case err == nil:
		a.ask()
	case errors.Is(err, io.EOF):
		a.ended = io.EOF
	default:
		a.ended = queryError(a.ctx, err)
	}
}

// killTimeout bounds the message to the engine that a query's reader is gone.
const killTimeout = 10 * time.Second

// Close ends the query, if it still runs.
func (a *SQLAnswer) Close() error {
	finished := errors.Is(a.ended, io.EOF)
	a.cancel()
	err := a.body.Close()
	if finished {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), killTimeout)
	defer cancel()
	// The engine notices a closed connection when it writes next; a query that writes nothing yet would run on.
	return errors.Join(err, a.sql.store.admin.Exec(ctx, "KILL QUERY WHERE query_id = ? ASYNC", a.id))
}
