package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// ledger sets what a tenant's statements have told against what the server has counted for its quota. Statements that end well tell
// all. One that fails or is cancelled tells nothing of its last tenth of a second, nor of what the server read until it noticed, and
// the difference is made up for from the server's count.
type ledger struct {
	tenant seamark.TenantID
	key    string // of the server's count
	opened time.Time

	mu       sync.Mutex
	told     Reads
	restored Reads           // told afterwards, from the server's count
	begun    time.Time       // of the server's interval; its count begins anew with each
	base     [2]Reads        // the server's count and ours, as they were when this interval was first seen
	missing  Reads           // as of the last look
	looks    int             // that are left until what has broken is made up for
	broken   context.Context // of the statement that broke last, which the difference is told under
	slots    []*sqlSlot      // of SQL, that no statement has
	made     int             // slots so far
}

const (
	// settlePause is between two looks at the server's counts. What runs meanwhile tells of itself ten times a second, so that what
	// two looks find missing is not only late.
	settlePause = 500 * time.Millisecond
	settleLooks = 4
	settleSpan  = "86400" // the longest interval of the quota
)

func (l *ledger) tell(r Reads) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told.Rows, l.told.Bytes = l.told.Rows+r.Rows, l.told.Bytes+r.Bytes
}

// breaks notes that a statement has ended before its time.
func (l *ledger) breaks(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.looks, l.broken = settleLooks, context.WithoutCancel(ctx)
}

// look compares the server's count with ours and returns what is to be told under which context.
func (l *ledger) look(begun time.Time, server Reads) (context.Context, Reads) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.looks = max(0, l.looks-1)
	ours := Reads{Rows: l.told.Rows + l.restored.Rows, Bytes: l.told.Bytes + l.restored.Bytes}
	if !begun.Equal(l.begun) {
		if begun.After(l.opened) {
			l.base = [2]Reads{server, ours} // the day before has ended since the last look
		}
		l.begun, l.missing = begun, Reads{}
	}
	missing := Reads{
		Rows:  lack(server.Rows-l.base[0].Rows, ours.Rows-l.base[1].Rows),
		Bytes: lack(server.Bytes-l.base[0].Bytes, ours.Bytes-l.base[1].Bytes),
	}
	due := Reads{Rows: min(missing.Rows, l.missing.Rows), Bytes: min(missing.Bytes, l.missing.Bytes)}
	l.missing = Reads{Rows: missing.Rows - due.Rows, Bytes: missing.Bytes - due.Bytes}
	l.restored.Rows, l.restored.Bytes = l.restored.Rows+due.Rows, l.restored.Bytes+due.Bytes
	return l.broken, due
}

// lack returns by how much is has less than want.
func lack(want, is uint64) uint64 {
	if is > want {
		return 0
	}
	return want - is
}

// SettleReads tells what statements have read that could not tell so themselves, until ctx ends. While none breaks it does nothing.
func (s *Store) SettleReads(ctx context.Context) error {
	return s.each(func(sh *shard) error { return sh.settleReads(ctx) })
}

func (sh *shard) settleReads(ctx context.Context) error {
	pause := time.NewTimer(settlePause)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sh.broken:
		}
		for open := true; open; {
			pause.Reset(settlePause)
			select {
			case <-ctx.Done():
				return nil
			case <-pause.C:
			}
			var err error
			if open, err = sh.settle(ctx); err != nil {
				sh.store.opts.Logger.Warn("what broken statements read is not counted", "err", err)
				break // the next that breaks finds the difference, too
			}
		}
	}
}

// settle looks once and reports whether there is more to look for.
func (sh *shard) settle(ctx context.Context) (open bool, err error) {
	of, failed := sh.settleSQL(ctx)
	open, err = sh.settleLedgers(ctx)
	return of || open, errors.Join(failed, err)
}

func (sh *shard) settleLedgers(ctx context.Context) (open bool, err error) {
	sh.mu.Lock()
	ledgers := make(map[string]*ledger, len(sh.ledgers))
	for _, l := range sh.ledgers {
		if l.open() {
			ledgers[l.key] = l
		}
	}
	sh.mu.Unlock()
	if len(ledgers) == 0 {
		return false, nil
	}
	rows, err := sh.admin.Query(ctx, "SELECT quota_key, assumeNotNull(start_time), assumeNotNull(read_rows), assumeNotNull(read_bytes) FROM system.quotas_usage "+
		"WHERE duration = "+settleSpan+" AND endsWith(quota_key, ?) AND start_time IS NOT NULL", "/"+sh.store.process)
	if err != nil {
		return false, fmt.Errorf("read the use of quotas: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var key string
		var begun time.Time
		var server Reads
		if err := rows.Scan(&key, &begun, &server.Rows, &server.Bytes); err != nil {
			return false, fmt.Errorf("read the use of quotas: %w", err)
		}
		l := ledgers[key]
		if l == nil {
			continue
		}
		if under, due := l.look(begun, server); due != (Reads{}) {
			sh.store.opts.Read(under, l.tenant, due)
		}
		open = open || l.open()
	}
	return open, rows.Err()
}

func (l *ledger) open() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.looks > 0
}

// breaks has SettleReads look for what the statement of ctx has read.
func (c tenantConn) breaks(ctx context.Context) {
	if c.shard.store.opts.Read == nil {
		return
	}
	c.ledger.breaks(ctx)
	c.shard.wakeSettler()
}

func (sh *shard) wakeSettler() {
	select {
	case sh.broken <- struct{}{}:
	default:
	}
}

// tenantRows notices when an answer is not read to its end.
type tenantRows struct {
	driver.Rows
	ctx  context.Context
	conn tenantConn
}

// Close implements driver.Rows.
func (r *tenantRows) Close() error {
	err := r.Rows.Close()
	if err != nil || r.Err() != nil || r.ctx.Err() != nil {
		r.conn.breaks(r.ctx)
	}
	return err
}
