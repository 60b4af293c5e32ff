package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// sqlSlot is a key of the tenant's quota that one statement of SQL at a time is counted under, so that the server's count is that
// statement's alone. Over HTTP the server tells all that a statement has read only where the whole answer fits its buffer.
type sqlSlot struct {
	key    string
	shared bool      // it is the ledger's own key: the count is that of many
	begun  time.Time // of the server's interval that base is of
	base   Reads     // the server's count, as far as it was told
}

// takeSlot returns a slot that no other statement has. Where quotas of the server refuse, all statements share the ledger's: else each
// slot would have a quota of its own.
func (l *ledger) takeSlot(limited bool) *sqlSlot {
	if limited {
		return &sqlSlot{key: l.key, shared: true}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.slots); n > 0 {
		s := l.slots[n-1]
		l.slots = l.slots[:n-1]
		return s
	}
	l.made++
	return &sqlSlot{key: l.key + "/sql" + strconv.Itoa(l.made)}
}

func (l *ledger) giveSlot(s *sqlSlot) {
	if s.shared {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slots = append(l.slots, s)
}

// read returns what the server has counted under the slot since base was taken, and the count itself.
func (s *sqlSlot) read(ctx context.Context, of *shard) (more, count Reads, begun time.Time, err error) {
	err = of.admin.QueryRow(ctx, "SELECT assumeNotNull(start_time), assumeNotNull(read_rows), assumeNotNull(read_bytes) FROM system.quotas_usage "+
		"WHERE duration = "+settleSpan+" AND quota_key = ? AND start_time IS NOT NULL", s.key).Scan(&begun, &count.Rows, &count.Bytes)
	if errors.Is(err, sql.ErrNoRows) {
		return Reads{}, s.base, s.begun, nil // the statement did not come as far as to read
	}
	if err != nil {
		return Reads{}, s.base, s.begun, fmt.Errorf("read the use of a quota: %w", err)
	}
	if !s.begun.IsZero() && !begun.Equal(s.begun) {
		return Reads{}, count, begun, nil // a new day: what the server has counted since midnight was told in part
	}
	return Reads{Rows: since(count.Rows, s.base.Rows), Bytes: since(count.Bytes, s.base.Bytes)}, count, begun, nil
}

// settleTimeout bounds a look at the server's count of one statement.
const settleTimeout = 5 * time.Second

// settle tells what the server has counted for the statement and gives the slot back. The statement must have ended, and the slot be
// its own.
func (a *SQLAnswer) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	more, count, begun, err := a.slot.read(ctx, a.shard)
	if err != nil {
		return err
	}
	a.tell(Reads{Rows: more.Rows, Bytes: more.Bytes})
	a.slot.base, a.slot.begun = count, begun
	a.ledger.giveSlot(a.slot)
	return nil
}

// maxUnsettled bounds the statements that wait for it. Without it a server that is away for long fills the memory with them.
const maxUnsettled = 10_000

// settleLater has SettleReads settle the statement when it has ended.
func (a *SQLAnswer) settleLater() {
	sh := a.shard
	if a.slot.shared {
		a.ledger.breaks(a.ctx)
	} else {
		sh.mu.Lock()
		if len(sh.unsettled) < maxUnsettled {
			sh.unsettled = append(sh.unsettled, a)
		}
		sh.mu.Unlock()
	}
	sh.wakeSettler()
}

// settleSQL settles the statements that have ended and reports whether others have not.
func (sh *shard) settleSQL(ctx context.Context) (open bool, err error) {
	sh.mu.Lock()
	list := sh.unsettled
	sh.unsettled = nil
	sh.mu.Unlock()
	if len(list) == 0 {
		return false, nil
	}
	var left []*SQLAnswer
	for _, a := range list {
		var running uint64
		if err == nil {
			err = sh.admin.QueryRow(ctx, "SELECT count() FROM system.processes WHERE query_id = ?", a.id).Scan(&running)
		}
		if err == nil && running == 0 {
			err = a.settle(ctx)
		}
		if err != nil || running > 0 {
			left = append(left, a)
		}
	}
	sh.mu.Lock()
	sh.unsettled = append(sh.unsettled, left...)
	sh.mu.Unlock()
	return len(left) > 0, err
}
