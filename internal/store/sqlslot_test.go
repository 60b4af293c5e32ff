package store_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// countedOf returns what the server has counted for the quota of a tenant's user.
func countedOf(t *testing.T, number int) store.Reads {
	t.Helper()
	var r store.Reads
	require.NoError(t, adminConn(t).QueryRow(t.Context(),
		"SELECT assumeNotNull(sum(read_rows)), assumeNotNull(sum(read_bytes)) FROM system.quotas_usage WHERE startsWith(quota_key, ?) AND duration = 86400",
		fmt.Sprintf("t%04d/", number)).Scan(&r.Rows, &r.Bytes))
	return r
}

// TestSQLReadsAreThoseOfTheQuota runs statements of SQL in all formats. What an answer says of itself when it is closed is what the
// server has counted, however long it is and however it ends; of one that is cancelled it is so as soon as it has ended.
func TestSQLReadsAreThoseOfTheQuota(t *testing.T) {
	for _, limited := range []bool{false, true} {
		t.Run(fmt.Sprintf("a quota refuses %t", limited), func(t *testing.T) {
			const within = 0.01
			number := 192
			if limited {
				number = 193
			}
			var mu sync.Mutex
			var told store.Reads
			s := openWith(t, seamark.TenantNumber(number), func(o *store.Options) {
				o.Read = func(_ context.Context, _ seamark.TenantID, r store.Reads) {
					mu.Lock()
					defer mu.Unlock()
					told.Rows, told.Bytes = told.Rows+r.Rows, told.Bytes+r.Bytes
				}
				if limited {
					most := seamark.DefaultCeilings(2)
					most.DayBytes = 1 << 50
					o.Ceilings = func(seamark.TenantID) seamark.Ceilings { return most }
				}
			})
			sqlData(t, s, fmt.Sprintf("t%04d", number))
			settling, end := context.WithCancel(t.Context())
			defer end()
			go func() { _ = s.SettleReads(settling) }()
			q := store.NewSQL(s)
			for _, c := range sqlAnswers() {
				readAnswer(t.Context(), q, c.sql, c.format, c.most)
				if limited || c.most > 0 {
					break // what it has read is known later
				}
				mu.Lock()
				got, server := told, countedOf(t, number)
				mu.Unlock()
				if off(got.Rows, server.Rows) > within || off(got.Bytes, server.Bytes) > within {
					t.Errorf("after %s as %d: told of %d rows and %d bytes, counted were %d and %d", c.sql, c.format, got.Rows, got.Bytes, server.Rows, server.Bytes)
				}
			}
			var all sync.WaitGroup
			for _, c := range sqlAnswers() { // beside each other, and each as its context lets it
				all.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
					defer cancel()
					readAnswer(ctx, q, c.sql, c.format, c.most)
				})
			}
			all.Wait()
			testkit.Eventually(t, time.Minute, func() error {
				server := countedOf(t, number)
				mu.Lock()
				defer mu.Unlock()
				if off(told.Rows, server.Rows) > within || off(told.Bytes, server.Bytes) > within {
					return fmt.Errorf("told of %d rows and %d bytes, the server has counted %d and %d", told.Rows, told.Bytes, server.Rows, server.Bytes)
				}
				t.Logf("told of %d rows and %d bytes, the server has counted %d and %d", told.Rows, told.Bytes, server.Rows, server.Bytes)
				return nil
			})
		})
	}
}

type sqlCase struct {
	sql    string
	format store.SQLFormat
	most   int64 // that is read of the answer; 0 is all
}

// sqlAnswers are statements with short and long answers, some of which fail.
func sqlAnswers() []sqlCase {
	var list []sqlCase
	for _, format := range []store.SQLFormat{store.SQLJSON, store.SQLNDJSON, store.SQLCSV, store.SQLArrow, store.SQLParquet} {
		for _, sql := range []string{"SELECT timestamp, pod, body, repeat(body, 4) FROM @logs ", "SELECT body FROM @logs LIMIT 10", "SELECT count() FROM @logs WHERE body LIKE '%77%'"} {
			list = append(list, sqlCase{sql: sql, format: format})
		}
	}
	return append(list,
		sqlCase{sql: "SELECT throwIf(body = 'line 399999'), repeat(body, 20) FROM @logs ", format: store.SQLCSV},
		sqlCase{sql: "SELECT nothing FROM @logs "}, sqlCase{sql: "SELECT count() FROM @logs WHERE throwIf(body = 'line 300000')"},
		sqlCase{sql: "SELECT timestamp, repeat(body, 40) FROM @logs ", format: store.SQLNDJSON, most: 6 << 20},
		sqlCase{sql: "SELECT sum(sipHash64(body || toString(n))) FROM @logs CROSS JOIN (SELECT arrayJoin(range(100)) AS n) AS many", most: 1})
}

// readAnswer reads an answer, or its beginning, and returns what it says that it has read.
func readAnswer(ctx context.Context, q *store.SQL, sql string, format store.SQLFormat, most int64) store.Reads {
	answer, err := q.Open(ctx, tenantA, store.SQLQuery{Statement: statement(sql), Format: format, Limits: store.SQLLimits{Timeout: 20 * time.Second}})
	if err != nil {
		return store.Reads{}
	}
	if most > 0 {
		_, _ = io.CopyN(io.Discard, answer, most)
	} else {
		_, _ = io.Copy(io.Discard, answer)
	}
	_ = answer.Close()
	return answer.Reads()
}

// TestSQLTellsProcessorTime compares what statements say of their processor time with the server's count for their user. Of short ones,
// which count as if they had computed all the time, a busy machine makes it more.
func TestSQLTellsProcessorTime(t *testing.T) {
	const number = 194
	var mu sync.Mutex
	var told uint64
	s := openWith(t, number, func(o *store.Options) {
		o.Read = func(_ context.Context, _ seamark.TenantID, r store.Reads) {
			mu.Lock()
			defer mu.Unlock()
			told += r.CPUMicros
		}
	})
	sqlData(t, s, "t0194")
	q := store.NewSQL(s)
	compare := func(what, sql string, times int, most func(server, took uint64) uint64) {
		t.Helper()
		mu.Lock()
		toldBefore := told
		mu.Unlock()
		begun, before := time.Now(), processorTime(t, number)
		for range times {
			if r := readAnswer(t.Context(), q, sql, store.SQLJSON, 0); r.CPUMicros == 0 {
				t.Errorf("a %s statement has no processor time", what)
			}
		}
		took := uint64(time.Since(begun).Microseconds())
		server := processorTime(t, number) - before
		mu.Lock()
		defer mu.Unlock()
		got := told - toldBefore
		t.Logf("%s statements told of %d ms, the server has counted %d ms, they took %d ms", what, got/1000, server/1000, took/1000)
		if server == 0 || got < server/2 || got > most(server, took) { // how many processors a short statement takes, the server does not tell
			t.Errorf("%s statements told of %d µs, the server has counted %d; they took %d", what, got, server, took)
		}
	}
	compare("short", "SELECT count() FROM @logs WHERE body LIKE '%77%'", 40, func(server, took uint64) uint64 { return max(2*server, took) })
	compare("long", "SELECT uniqExact(sipHash64(body || toString(n))) FROM @logs CROSS JOIN (SELECT arrayJoin(range(5)) AS n) AS many", 3,
		func(server, _ uint64) uint64 { return 2 * server })
}

// processorTime returns the microseconds that the server has counted for a tenant's user.
func processorTime(t *testing.T, number int) uint64 {
	t.Helper()
	var micros uint64
	require.NoError(t, adminConn(t).QueryRow(t.Context(), "SELECT sum(ProfileEvents['OSCPUVirtualTimeMicroseconds']) FROM system.user_processes WHERE user = ?",
		fmt.Sprintf("t%04d", number)).Scan(&micros))
	return micros
}
