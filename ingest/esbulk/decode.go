package esbulk

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Reasons for refusing an action or a document.
const (
	malformedID   = "seamark-bulk-malformed"    // the body has no action at all
	actionID      = "seamark-bulk-action"       // a line that should be an action is none
	unsupportedID = "seamark-bulk-unsupported"  // update or delete
	missingID     = "seamark-bulk-source"       // an action without its document
	documentID    = "seamark-bulk-document"     // the document is no JSON object
	largeID       = "seamark-bulk-source-bytes" // the document is too large
)

// Options says how one request is read.
type Options struct {
	// Now is the time of documents that tell none.
	Now time.Time
	// Index is the index of the request's path, for actions that name none.
	Index string
	// Event, when set, is shown each record's JSON before it becomes a line, and takes it when it is a Kubernetes event.
	Event func(raw []byte) bool
	// MaxAttrs bounds the attributes of a document, see record.Options.
	MaxAttrs int
	// MaxSourceBytes bounds one document; zero means DefaultMaxSourceBytes. Without it one document fills a request's
	// memory, and its line is refused later all the same.
	MaxSourceBytes int
}

// DefaultMaxSourceBytes leaves room for the fields around a line of the longest length that is stored.
const DefaultMaxSourceBytes = 1 << 20

// Decoder decodes requests. It keeps scratch memory between them and is safe for concurrent use; make one with New.
type Decoder struct {
	scratch sync.Pool // *state
}

// New makes a Decoder.
func New() *Decoder {
	return &Decoder{scratch: sync.Pool{New: func() any { return &state{record: record.New(record.Options{})} }}}
}

// state is what one call works with.
type state struct {
	rest   []byte
	line   int // number of the line that was read last
	cat    seamark.Catalog
	batch  *seamark.Batch
	opts   Options
	record *record.Builder
	items  []Item
	lastOf []byte // the action line that last came out as last
	last   Item
}

// Decode appends the documents of a _bulk body to b, and to items one Item per action in their order. A document, or an
// action, that cannot be taken is refused in its item and counted in b.Rejected, while its neighbours are kept. Strings in b
// and in the items alias body. The error is a *seamark.Error: Invalid seamark-bulk-malformed when body holds no action at
// all, or what b's memory says; b must not be used then.
func (d *Decoder) Decode(items []Item, body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) ([]Item, error) {
	if o.MaxSourceBytes <= 0 {
		o.MaxSourceBytes = DefaultMaxSourceBytes
	}
	s, _ := d.scratch.Get().(*state)
	defer d.give(s)
	*s = state{rest: body, cat: cat, batch: b, opts: o, record: s.record, items: items}
	s.record.Begin(record.Options{Now: o.Now, MaxAttrs: o.MaxAttrs})
	err := s.bulk()
	return s.items, err
}

// give returns s to the pool without anything of the request.
func (d *Decoder) give(s *state) {
	s.record.Release()
	*s = state{record: s.record}
	d.scratch.Put(s)
}

func (s *state) bulk() error {
	known, fault := false, ""
	for line := s.next(); line != nil; line = s.next() {
		item, err := s.action(line)
		if err == nil {
			known = true
			err = s.perform(item)
		} else if e, refused := record.Refused(err); refused {
			if fault == "" {
				fault = e.Message
			}
			err = s.malformed(e)
		}
		if err != nil {
			return err
		}
	}
	if !known {
		if fault == "" {
			fault = "It is empty."
		}
		return seamark.Errorf(seamark.Invalid, malformedID, "The body is no bulk request. %s Send lines of {\"create\":{}} and a document in turn.", fault)
	}
	return nil
}

// next returns the next line that is not blank, without white space around it, and nil at the end. The last line may lack
// its newline, though the API demands it: a sender that forgot it means what it sent.
func (s *state) next() []byte {
	for len(s.rest) > 0 {
		line := s.rest
		if i := bytes.IndexByte(s.rest, '\n'); i >= 0 {
			line, s.rest = s.rest[:i], s.rest[i+1:]
		} else {
			s.rest = nil
		}
		s.line++
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line
		}
	}
	return nil
}

// malformed refuses an action that cannot be read. The line behind it is its document, unless it is an action itself.
func (s *state) malformed(fault *seamark.Error) error {
	item := Item{Action: Create, Index: s.opts.Index, Row: noRow}
	item.Refuse(400, fault.ID, fault.Message)
	before, at := s.rest, s.line
	if line := s.next(); line != nil {
		if _, err := s.action(line); err == nil {
			s.rest, s.line = before, at
		}
	}
	return s.refuse(&item)
}

// perform takes the document of an action.
func (s *state) perform(item Item) error {
	switch item.Action {
	case Delete:
		item.Refuse(400, unsupportedID, fmt.Sprintf("The action delete of line %d is not supported: lines are stored once and expire. Send create or index.", s.line))
		return s.refuse(&item)
	case Update:
		item.Refuse(400, unsupportedID, fmt.Sprintf("The action update of line %d is not supported: lines are stored once and expire. Send create or index.", s.line))
		s.next()
		return s.refuse(&item)
	}
	at := s.line
	source := s.next()
	switch {
	case source == nil:
		item.Refuse(400, missingID, fmt.Sprintf("The action of line %d has no document behind it.", at))
	case source[0] != '{':
		item.Refuse(400, documentID, fmt.Sprintf("The document of line %d is no JSON object.", s.line))
	case len(source) > s.opts.MaxSourceBytes:
		item.Refuse(400, largeID, fmt.Sprintf("The document of line %d has %d bytes; the limit is %d. Cut the message in the agent.", s.line, len(source), s.opts.MaxSourceBytes))
	default:
		return s.document(&item, source)
	}
	return s.refuse(&item)
}

// document appends the row of one document.
func (s *state) document(item *Item, source []byte) error {
	r := s.record
	if s.opts.Event != nil && s.opts.Event(source) {
		return s.add(item)
	}
	err := r.AddJSON("", source)
	if err == nil {
		if item.ID == "" {
			item.hash = xxhash.Sum64(source)
		}
		if item.Index != "" {
			r.Add("_index", item.Index)
			if dataset := datasetOf(item.Index); dataset != "" {
				r.SetDefault("service_name", dataset)
			}
		}
		item.Row = s.batch.Logs.Len()
		err = r.Flush(s.cat, s.batch)
	}
	if err == nil {
		return s.add(item)
	}
	r.Reset()
	e, ok := record.Refused(err)
	if !ok {
		return err
	}
	item.Row = noRow
	if e.ID == record.MalformedID {
		item.Refuse(400, documentID, fmt.Sprintf("Line %d: %s", s.line, e.Message))
	} else {
		item.Refuse(400, e.ID, e.Message)
	}
	return s.refuse(item)
}

// datasetOf returns the dataset of a data stream of logs, "" for other indices and for the dataset that says nothing.
func datasetOf(index string) string {
	rest, ok := strings.CutPrefix(index, "logs-")
	if !ok {
		return ""
	}
	dataset, _, ok := strings.Cut(rest, "-")
	if !ok || dataset == "generic" {
		return ""
	}
	return dataset
}

func (s *state) refuse(item *Item) error {
	s.batch.Rejected.Add(seamark.Logs, 1, item.Reason, item.Detail)
	return s.add(item)
}

func (s *state) add(item *Item) error {
	// Twice, for the list while it grows.
	if err := s.batch.Reserve(2*int(unsafe.Sizeof(*item)) + len(item.Detail)); err != nil {
		return err
	}
	s.items = append(s.items, *item)
	return nil
}
