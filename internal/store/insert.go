package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// insertTimeout bounds one insert. Past it the insert is in doubt and is verified, never repeated blindly.
const insertTimeout = 60 * time.Second

// Block is one insert: all segments of one table and partition in a batch of the writer. It is stored whole or not at all,
// because it reaches the server as one block of one partition.
type Block struct {
	Table    Table
	Day      int32
	BatchID  uint64             // rises with every batch of a shard, unique over shards; the value of _b
	Attempt  uint64             // rises with every insert that was verified as absent, so that a retry gets a fresh deduplication token
	Crowded  bool               // one of so many inserts that filters are stored for a large one only
	Shard    seamark.StoreShard // of a block of a shared table; another's is that of its tenant
	Segments []Segment
}

// Rows counts the block's rows.
func (b *Block) Rows() uint64 {
	var n uint64
	for i := range b.Segments {
		n += uint64(b.Segments[i].Rows)
	}
	return n
}

// QueryID names the insert on the server, so that one in doubt can be killed before it is verified.
func (b *Block) QueryID(db string) string {
	return fmt.Sprintf("%s%d", b.queryIDPrefix(db), b.Attempt)
}

// queryIDPrefix is common to all attempts of the block, also to those of a writer that is gone.
func (b *Block) queryIDPrefix(db string) string {
	return fmt.Sprintf("seamark-%s-%s-%d-%d-", db, b.Table, b.Day, b.BatchID)
}

// Insert stores one block. Any error, a time-out included, leaves the block in doubt: call Verify before anything else.
func (s *Store) Insert(ctx context.Context, tenant seamark.TenantID, b *Block) error {
	sh, n, err := s.ensureBlock(ctx, tenant, b)
	if err != nil {
		return err
	}
	filtered := s.filters(tenant, b.Table, b.Rows(), b.Crowded) && s.storeFilters(ctx, tenant, b)
	start := s.opts.Now()
	body := s.body(b, filtered)
	defer body.release()
	spec := tableSpecs[b.Table]
	columns := spec.columns
	if spec.exact {
		columns += ", " + nativeBatchColumn
	}
	if filtered {
		columns += ", " + nativeFilterColumn
	}
	db := database(n)
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	id := b.QueryID(db)
	ctx = clickhouse.Context(ctx, clickhouse.WithQueryID(id), clickhouse.WithSettings(clickhouse.Settings{
		"async_insert":                "0",
		"insert_deduplication_token":  id,
		"min_insert_block_size_rows":  "100000000", // one block, whatever its size: the whole insert is one part
		"min_insert_block_size_bytes": strconv.Itoa(4 << 30),
	}))
	err = sh.insert.InsertFormat(ctx, "Native", fmt.Sprintf("INSERT INTO %s.%s (%s)", db, spec.name, columns), body)
	if err != nil {
		s.metrics.insertErrors.WithLabelValues(spec.name).Inc()
		return fmt.Errorf("insert into %s.%s: %w", db, spec.name, err)
	}
	s.metrics.insertRows.WithLabelValues(spec.name).Add(float64(b.Rows()))
	s.metrics.insertSeconds.WithLabelValues(spec.name).Observe(s.opts.Now().Sub(start).Seconds())
	return nil
}

// Verify settles a block in doubt: it ends the insert if the server still runs it, then counts. It reports whether the
// block is stored. Any count but none or all means that somebody else wrote under this batch: an error, never a guess.
func (s *Store) Verify(ctx context.Context, tenant seamark.TenantID, b *Block) (stored bool, err error) {
	sh, n, err := s.ensureBlock(ctx, tenant, b)
	if err != nil {
		return false, err
	}
	db := database(n)
	id := b.queryIDPrefix(db)
	if err := sh.admin.Exec(ctx, "KILL QUERY WHERE startsWith(query_id, ?) SYNC", id); err != nil {
		return false, fmt.Errorf("kill %s: %w", id, err)
	}
	if !b.Table.Exact() {
		return false, nil // storing it again replaces it
	}
	day := time.Unix(int64(b.Day)*int64(dayNanos/int64(time.Second)), 0).UTC()
	var count uint64
	sql := fmt.Sprintf("SELECT count() FROM %s.%s WHERE _b = ? AND ts >= ? AND ts < ?", db, tableSpecs[b.Table].name)
	if err := sh.admin.QueryRow(ctx, sql, b.BatchID, day, day.AddDate(0, 0, max(tableSpecs[b.Table].days, 1))).Scan(&count); err != nil {
		return false, fmt.Errorf("count %s: %w", id, err)
	}
	switch count {
	case 0:
		return false, nil
	case b.Rows():
		return true, nil
	}
	return false, &DoubtError{Block: id, Want: b.Rows(), Got: count}
}

// Probe has the server read one of a block's segments as its table's columns without storing it: inserted into a table that keeps
// nothing.
func (s *Store) Probe(ctx context.Context, tenant seamark.TenantID, b *Block, segment int) error {
	sh, n, err := s.ensureBlock(ctx, tenant, b)
	if err != nil {
		return err
	}
	spec, db := tableSpecs[b.Table], database(n)
	table := fmt.Sprintf("%s.probe_%s_%s", db, spec.name, rand.Text())
	if err := sh.admin.Exec(ctx, fmt.Sprintf("CREATE TABLE %s AS %s.%s ENGINE = Null COMMENT '%s0'", table, db, spec.name, commentPrefix)); err != nil {
		return fmt.Errorf("make %s: %w", table, err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), insertTimeout)
		defer cancel()
		_ = sh.admin.Exec(ctx, "DROP TABLE IF EXISTS "+table)
	}()
	body := s.body(&Block{Table: b.Table, Day: b.Day, Segments: b.Segments[segment : segment+1]}, false)
	defer body.release()
	columns := spec.columns
	if spec.exact {
		columns += ", " + nativeBatchColumn
	}
	if err := sh.insert.InsertFormat(ctx, "Native", fmt.Sprintf("INSERT INTO %s (%s)", table, columns), body); err != nil {
		return fmt.Errorf("probe %s.%s: %w", db, spec.name, err)
	}
	return nil
}

// DoubtError says that a batch is stored in part, which the write protocol rules out. The shard stops.
type DoubtError struct {
	Block     string
	Want, Got uint64
}

// Error says what was found.
func (e *DoubtError) Error() string {
	return fmt.Sprintf("block %s has %d of its %d rows in the store; it must have none or all", e.Block, e.Got, e.Want)
}

// framedBody tells the server that the bodies of inserts are ClickHouse's own compressed frames. It is a transport and not
// a setting of the query, because the driver sends a query's settings also with the greeting of a new connection.
type framedBody struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper. Inserts are the requests whose statement stands in the URL.
func (f framedBody) RoundTrip(r *http.Request) (*http.Response, error) {
	q := r.URL.Query()
	if !q.Has("query") {
		return f.next.RoundTrip(r)
	}
	q.Set("decompress", "1")
	r = r.Clone(r.Context())
	r.URL.RawQuery = q.Encode()
	return f.next.RoundTrip(r)
}

// Rejected reports whether the server refused an insert for what it carries, so that a repeat cannot succeed.
func Rejected(err error) bool {
	ex, ok := errors.AsType[*clickhouse.Exception](err)
	return ok && slices.Contains(rejectionCodes, ex.Code)
}

// rejectionCodes are ClickHouse's codes for data that cannot be read as the table's columns (src/Common/ErrorCodes.cpp).
var rejectionCodes = []int32{
	6,   // CANNOT_PARSE_TEXT
	27,  // CANNOT_PARSE_INPUT_ASSERTION_FAILED
	33,  // CANNOT_READ_ALL_DATA
	40,  // CHECKSUM_DOESNT_MATCH
	53,  // TYPE_MISMATCH
	117, // INCORRECT_DATA
	131, // TOO_LARGE_STRING_SIZE
	271, // CANNOT_DECOMPRESS
	432, // UNKNOWN_CODEC
}

// insertBody is the request body of one insert: per segment the block header, the segment's own frames and the columns that
// the insert adds. The frames pass from the bus to the server without being decompressed here.
type insertBody struct {
	readers io.Reader
	scratch *insertScratch
	pool    *sync.Pool
}

type insertScratch struct {
	comp    *compressor
	raw     []byte
	tail    []byte // columns behind those of a segment
	columns uint64 // of a segment and its tail
	out     []byte
	cuts    []int
}

func (b *insertBody) Read(p []byte) (int, error) { return b.readers.Read(p) }

func (b *insertBody) release() { b.pool.Put(b.scratch) }

// body makes the request of an insert. With filtered set its rows say that filters cover them.
func (s *Store) body(b *Block, filtered bool) *insertBody {
	sc, ok := s.scratch.Get().(*insertScratch)
	if !ok {
		sc = &insertScratch{comp: newCompressor()}
	}
	sc.out, sc.cuts = sc.out[:0], append(sc.cuts[:0], 0)
	for i := range b.Segments {
		segment, rows := &b.Segments[i], int(b.Segments[i].Rows)
		sc.tail, sc.columns = sc.tail[:0], uint64(segment.Columns)
		if b.Table.Exact() {
			sc.addBatchColumn(b.BatchID, rows)
		}
		if filtered {
			sc.addFilterColumn(rows)
		}
		sc.raw = binary.AppendUvarint(sc.raw[:0], sc.columns)
		sc.raw = binary.AppendUvarint(sc.raw, uint64(rows))
		sc.out = sc.comp.appendFrames(sc.out, sc.raw)
		sc.cuts = append(sc.cuts, len(sc.out))
		sc.out = sc.comp.appendFrames(sc.out, sc.tail)
		sc.cuts = append(sc.cuts, len(sc.out))
	}
	body := &insertBody{scratch: sc, pool: &s.scratch}
	readers := make([]io.Reader, 0, 3*len(b.Segments))
	for i := range b.Segments {
		head, tail := sc.out[sc.cuts[2*i]:sc.cuts[2*i+1]], sc.out[sc.cuts[2*i+1]:sc.cuts[2*i+2]]
		readers = append(readers, bytes.NewReader(head), bytes.NewReader(b.Segments[i].Payload), bytes.NewReader(tail))
	}
	body.readers = io.MultiReader(readers...)
	return body
}

func (sc *insertScratch) addBatchColumn(id uint64, rows int) {
	sc.columns++
	sc.tail = appendColumn(sc.tail, nativeBatchColumn, nativeBatchType)
	for range rows {
		sc.tail = binary.LittleEndian.AppendUint64(sc.tail, id)
	}
}

func (sc *insertScratch) addFilterColumn(rows int) {
	sc.columns++
	sc.tail = appendColumn(sc.tail, nativeFilterColumn, nativeFilterType)
	for range rows {
		sc.tail = append(sc.tail, 1)
	}
}
