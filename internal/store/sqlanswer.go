package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// SQLAnswer is the answer of a customer's statement, in the form that was asked for. It is read by one goroutine.
type SQLAnswer struct {
	sql    *SQL
	ctx    context.Context // of the query; it ends with Close
	cancel context.CancelFunc
	tenant seamark.TenantID
	shard  *shard
	db, id string
	body   io.ReadCloser

	marker   string // what an error in the middle of an answer begins with; its end differs from query to query
	pending  []byte // read, not given out
	ended    error
	written  uint64
	maxBytes uint64

	ledger  *ledger
	slot    *sqlSlot
	watched sync.WaitGroup
	begun   time.Time
	arrived uint64        // bytes of the body
	summary time.Duration // that the statement had run when its answer began
	over    bool          // the statement has ended, well or not

	mu   sync.Mutex // guards what follows
	told Reads      // what the meter knows
	seen sqlSight   // of the statement, the last
}

// sqlSight is what the server's list of those that run has told of a statement.
type sqlSight struct {
	elapsed   time.Duration
	cpuMicros uint64
}

// Reads returns what the query has read, as far as is known: all of it, for an answer that was read to its end and closed.
func (a *SQLAnswer) Reads() Reads {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.told
}

// tell meters what the query has read up to now.
func (a *SQLAnswer) tell(now Reads) {
	a.mu.Lock()
	defer a.mu.Unlock()
	more := Reads{Rows: since(now.Rows, a.told.Rows), Bytes: since(now.Bytes, a.told.Bytes), CPUMicros: since(now.CPUMicros, a.told.CPUMicros)}
	if more == (Reads{}) {
		return
	}
	a.told = Reads{Rows: a.told.Rows + more.Rows, Bytes: a.told.Bytes + more.Bytes, CPUMicros: a.told.CPUMicros + more.CPUMicros}
	if a.slot.shared {
		a.ledger.tell(more)
	}
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

// The server is asked what a statement has read, first after firstAsk, and less and less often, every askEvery in the end.
const (
	firstAsk = 10 * time.Millisecond
	askEvery = 200 * time.Millisecond
	// askTimeout bounds one look, which the end of an answer waits for.
	askTimeout = time.Second
)

// watch learns what the query has read from the list of those that run, until the answer is closed: over HTTP a statement tells
// nothing before its answer, of its processor time not even then.
func (a *SQLAnswer) watch() {
	pause := firstAsk
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-a.ctx.Done():
			return
		case <-timer.C:
		}
		a.ask()
		pause = min(2*pause, askEvery)
		timer.Reset(pause)
	}
}

func (a *SQLAnswer) ask() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), askTimeout)
	defer cancel()
	var r Reads
	var elapsed float64
	err := a.shard.admin.QueryRow(ctx, "SELECT read_rows, read_bytes, ProfileEvents['OSCPUVirtualTimeMicroseconds'], elapsed FROM system.processes WHERE query_id = ?", a.id).
		Scan(&r.Rows, &r.Bytes, &r.CPUMicros, &elapsed)
	if err != nil { // a query that is over is in no list
		return
	}
	a.tell(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = sqlSight{time.Duration(elapsed * float64(time.Second)), r.CPUMicros}
}

// tellTime meters the processor time of a statement that has ended since it was seen last, as if it had gone on as before. The list
// lags behind the threads of a statement by some milliseconds, so one that ended before it was seen for long counts as if it had
// computed all the time, on one processor: measured over statements of 20 ms that is 0.7 to 1.2 of what they took.
func (a *SQLAnswer) tellTime() {
	a.mu.Lock()
	seen := a.seen
	a.mu.Unlock()
	took := time.Since(a.begun)
	if a.whole() {
		took = a.summary
	}
	if seen.elapsed < askEvery || seen.cpuMicros == 0 { // on a busy server, no thread of it may have told yet
		a.tell(Reads{CPUMicros: max(seen.cpuMicros, uint64(min(took, 2*askEvery).Microseconds()))})
		return
	}
	rest := max(0, min(took-seen.elapsed, askEvery))
	a.tell(Reads{CPUMicros: seen.cpuMicros + uint64(float64(seen.cpuMicros)*float64(rest)/float64(seen.elapsed))})
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
	a.arrived += uint64(n)
	if at := bytes.Index(a.pending[from:], []byte(a.marker)); at >= 0 {
		at += from
		message, _ := io.ReadAll(io.LimitReader(a.body, maxSQLError)) // the engine cuts the connection behind it
		message = append(a.pending[at+len(a.marker):], message...)
		a.ended, a.over = sqlError(string(bytes.TrimSpace(message)), a.db), true
		a.pending = a.pending[:at]
		return
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		a.ended, a.over = io.EOF, true
	default:
		a.ended = queryError(a.ctx, err)
	}
}

// killTimeout bounds the message to the engine that a query's reader is gone.
const killTimeout = 10 * time.Second

// whole reports whether the answer came in one piece, so that what was told with its headers is all.
func (a *SQLAnswer) whole() bool {
	return a.summary > 0 && a.arrived < sqlBuffer && errors.Is(a.ended, io.EOF)
}

// Close ends the query, if it still runs, and meters the rest of what it has read.
func (a *SQLAnswer) Close() error {
	a.cancel()
	a.watched.Wait()
	err := a.body.Close()
	if a.over {
		a.tellTime()
		a.settleNow()
		return nil
	}
	return errors.Join(err, a.kill())
}

// abandon leaves a statement without an answer: nobody waits for it any more, or the server does not answer.
func (a *SQLAnswer) abandon() {
	gone := a.ctx.Err() != nil
	a.cancel()
	a.watched.Wait()
	if gone {
		_ = a.kill() // its connection is closed, which the server notices sooner or later
		return
	}
	a.settleLater()
}

// kill ends the statement on the server: it notices a closed connection when it writes next, and one that writes nothing yet would run on.
func (a *SQLAnswer) kill() error {
	defer a.settleLater()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), killTimeout)
	defer cancel()
	return a.shard.admin.Exec(ctx, "KILL QUERY WHERE query_id = ? ASYNC", a.id)
}

// settleNow settles a statement that has ended.
func (a *SQLAnswer) settleNow() {
	switch {
	case a.whole():
		told := a.Reads()
		a.slot.base.Rows, a.slot.base.Bytes = a.slot.base.Rows+told.Rows, a.slot.base.Bytes+told.Bytes
		a.ledger.giveSlot(a.slot)
	case a.slot.shared || a.settle(a.ctx) != nil:
		a.settleLater()
	}
}
