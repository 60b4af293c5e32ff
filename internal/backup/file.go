package backup

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/seamarkhq/seamark/internal/seal"
)

// The form of a file: the line magic, then a zstd stream of JSON lines: a header, the documents sorted by bucket and key,
// and an end with the SHA-256 of every line before it.
const (
	magic   = "seamark-backup 1\n"
	version = 1
)

// Bounds of what is read. Without them a file of a few KiB that inflates takes all memory.
const (
	maxLineBytes    = 24 << 20 // the largest message of the bus, in base 64, with its key
	maxFileBytes    = 2 << 30  // inflated; the buckets together hold less
	maxWindowBytes  = 64 << 20
	maxKeyBytes     = 1 << 10
	maxBucketsCount = 1000
)

// Header opens a backup.
type Header struct {
	Version int       `json:"version"`
	Created time.Time `json:"created"`
	Program string    `json:"program"`        // version of the program that wrote it
	Root    string    `json:"root,omitempty"` // id of the root key that secrets are sealed under, "" when there are none
	Buckets []Bucket  `json:"buckets"`
}

// end closes a backup.
type end struct {
	End       bool   `json:"end"`
	Documents int    `json:"documents"`
	SHA256    string `json:"sha256"`
}

// Backup is the content of a file.
type Backup struct {
	Header    Header
	Documents []Document
}

// Write writes a backup.
func Write(w io.Writer, b *Backup) error {
	if _, err := io.WriteString(w, magic); err != nil {
		return err
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	sum := sha256.New()
	lines := json.NewEncoder(io.MultiWriter(z, sum))
	lines.SetEscapeHTML(false)
	err = lines.Encode(b.Header)
	for i := range b.Documents {
		err = errors.Join(err, lines.Encode(&b.Documents[i]))
	}
	err = errors.Join(err, json.NewEncoder(z).Encode(end{End: true, Documents: len(b.Documents), SHA256: hex.EncodeToString(sum.Sum(nil))}))
	return errors.Join(err, z.Close())
}

// damaged says that a file is no whole backup.
func damaged(format string, args ...any) error {
	return fmt.Errorf("this is not a whole backup: %s", fmt.Sprintf(format, args...))
}

// Read reads a backup and checks it: its form, its checksum, and that it is whole.
func Read(r io.Reader) (*Backup, error) {
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != magic {
		return nil, damaged("it does not begin with %q", magic[:len(magic)-1])
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindowBytes))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	in := &reader{lines: bufio.NewReaderSize(io.LimitReader(z, maxFileBytes), 64<<10), sum: sha256.New()}
	b := &Backup{}
	line, err := in.next()
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(line, &b.Header); err != nil {
		return nil, damaged("its header is not JSON")
	}
	if b.Header.Version != version || len(b.Header.Buckets) > maxBucketsCount {
		return nil, damaged("its header has version %d and %d buckets; this program reads version %d", b.Header.Version, len(b.Header.Buckets), version)
	}
	if err := in.documents(b); err != nil {
		return nil, err
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	return b, nil
}

// reader reads lines and sums them up.
type reader struct {
	lines *bufio.Reader
	sum   hash.Hash
	last  string // the sum before the line that was read last
}

// next returns the next line, whose bytes are valid until the next call.
func (r *reader) next() ([]byte, error) {
	r.last = hex.EncodeToString(r.sum.Sum(nil))
	var line []byte
	for {
		part, err := r.lines.ReadSlice('\n')
		r.sum.Write(part)
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case len(line) > maxLineBytes:
			return nil, damaged("a line is longer than %d bytes", maxLineBytes)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil, damaged("it ends in the middle")
		default:
			return nil, damaged("%s", err)
		}
	}
}

// documents reads everything after the header.
func (r *reader) documents(b *Backup) error {
	for {
		line, err := r.next()
		if err != nil {
			return err
		}
		if bytes.HasPrefix(line, []byte(`{"end":`)) {
			return r.finish(b, line)
		}
		var d Document
		if err := json.Unmarshal(line, &d); err != nil {
			return damaged("document %d is not JSON", len(b.Documents)+1)
		}
		b.Documents = append(b.Documents, d)
	}
}

// finish checks the last line, and that nothing follows it.
func (r *reader) finish(b *Backup, line []byte) error {
	want := r.last
	var e end
	if err := json.Unmarshal(line, &e); err != nil || !e.End {
		return damaged("its end is not JSON")
	}
	if e.Documents != len(b.Documents) || e.SHA256 != want {
		return damaged("its checksum is that of other content")
	}
	if _, err := r.lines.ReadByte(); !errors.Is(err, io.EOF) {
		return damaged("something follows its end")
	}
	return nil
}

// check refuses documents that a writer of backups never writes.
func (b *Backup) check() error {
	known := map[string]int{}
	for _, k := range b.Header.Buckets {
		known[k.Name] = 0
	}
	for i, d := range b.Documents {
		count, ok := known[d.Bucket]
		if !ok || d.Key == "" || len(d.Key) > maxKeyBytes || !wanted(d.Bucket, d.Key) || len(d.Value) == 0 {
			return damaged("document %d (%.40q in %.40q) does not belong into one", i+1, d.Key, d.Bucket)
		}
		if i > 0 && compareDocuments(b.Documents[i-1], d) >= 0 {
			return damaged("document %d is out of order", i+1)
		}
		known[d.Bucket] = count + 1
	}
	without := LeftOut()
	for _, k := range b.Header.Buckets {
		if _, out := without[k.Name]; out || known[k.Name] != k.Documents || len(k.Name) <= len(bucketPrefix) || k.Name[:len(bucketPrefix)] != bucketPrefix {
			return damaged("bucket %.40q does not belong into one, or has another number of documents", k.Name)
		}
	}
	if _, ok := ring(b.Documents); ok != (b.Header.Root != "") {
		return damaged("its data keys and its header do not belong together")
	}
	if !slices.IsSortedFunc(b.Header.Buckets, func(x, y Bucket) int { return compareDocuments(Document{Bucket: x.Name}, Document{Bucket: y.Name}) }) {
		return damaged("its buckets are out of order")
	}
	return nil
}

// New puts a backup together.
func New(program string, now time.Time, buckets []Bucket, docs []Document) (*Backup, error) {
	b := &Backup{Header: Header{Version: version, Created: now.UTC(), Program: program, Buckets: buckets}, Documents: docs}
	if d, ok := ring(docs); ok {
		root, err := seal.RootOfRing(d.Value)
		if err != nil {
			return nil, err
		}
		b.Header.Root = root
	}
	if err := b.check(); err != nil {
		return nil, err
	}
	return b, nil
}
