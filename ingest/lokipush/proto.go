package lokipush

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"

	"github.com/VictoriaMetrics/easyproto"
	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Field numbers of loki's pkg/push/push.proto, as far as they are read.
const (
	requestStreams = 1

	streamLabels  = 1
	streamEntries = 2

	entryTimestamp = 1
	entryLine      = 2
	entryMetadata  = 3

	pairName  = 1
	pairValue = 2

	timestampSeconds = 1
	timestampNanos   = 2
)

const malformedProtoID = "seamark-body-protobuf"

var errWireType = errors.New("the field has another wire type than its definition")

func (s *state) pushRequest() error {
	var field easyproto.FieldContext
	for rest := s.body; len(rest) > 0; {
		at := rest
		var err error
		if rest, err = field.NextField(rest); err != nil {
			return s.malformed(at, "PushRequest", err)
		}
		if field.FieldNum != requestStreams {
			continue
		}
		message, ok := field.MessageData()
		if !ok {
			return s.malformed(at, "PushRequest.streams", errWireType)
		}
		if err := s.protoStream(message); err != nil {
			return err
		}
	}
	return nil
}

// protoStream reads a StreamAdapter twice: once for its labels, which protobuf allows to come last, and for the number of
// its entries, then the entries.
func (s *state) protoStream(message []byte) error {
	var labels, entries []byte
	count := 0
	var field easyproto.FieldContext
	for rest := message; len(rest) > 0; {
		at := rest
		var err error
		if rest, err = field.NextField(rest); err != nil {
			return s.malformed(at, "Stream", err)
		}
		if field.FieldNum > streamEntries {
			continue
		}
		data, ok := field.MessageData()
		if !ok {
			return s.malformed(at, "Stream", errWireType)
		}
		switch field.FieldNum {
		case streamLabels:
			labels = data
		case streamEntries:
			if count == 0 {
				entries = at
			}
			count++
		}
	}
	if count == 0 {
		return nil
	}
	series, err := s.seriesOfText(labels)
	if err != nil {
		return s.rejectStream(count, err)
	}
	s.enter(series)
	return s.protoEntries(entries)
}

// seriesOfText finds or makes the series of a label set in selector form.
func (s *state) seriesOfText(text []byte) (*seamark.Series, error) {
	key := xxhash.Sum64(text) ^ protoKeySpace
	if series := s.cat.Find(key); series != nil {
		return series, nil
	}
	var err error
	if s.labels, err = ParseLabels(s.labels[:0], alias(text)); err != nil {
		return nil, err
	}
	return s.cat.Create(key, seamark.LogStream, s.labels)
}

// alias returns b as a string without copying it.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func (s *state) protoEntries(rest []byte) error {
	var field easyproto.FieldContext
	for len(rest) > 0 {
		var err error
		if rest, err = field.NextField(rest); err != nil {
			return s.malformed(rest, "Stream", err)
		}
		if field.FieldNum != streamEntries {
			continue
		}
		message, _ := field.MessageData() // protoStream has checked the wire type
		if err := s.protoEntry(message); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) protoEntry(message []byte) error {
	var (
		field easyproto.FieldContext
		nano  int64
		valid = true
		line  string
	)
	s.attrs = s.attrs[:0]
	for len(message) > 0 {
		at := message
		var err error
		if message, err = field.NextField(message); err != nil {
			return s.malformed(at, "Entry", err)
		}
		if field.FieldNum > entryMetadata { // "parsed" is what queries answer with
			continue
		}
		data, ok := field.MessageData()
		if !ok {
			return s.malformed(at, "Entry", errWireType)
		}
		switch field.FieldNum {
		case entryTimestamp:
			if nano, valid, err = s.timestamp(data); err != nil {
				return err
			}
		case entryLine:
			line = alias(data)
		case entryMetadata:
			if err := s.protoAttr(data); err != nil {
				return err
			}
		}
	}
	if !valid {
		s.rejectLine(badTimeID, func() string {
			return "A line's timestamp is outside 1677 to 2262, or its nanos are not below one second."
		})
		return nil
	}
	return s.row(nano, line)
}

// timestamp decodes a google.protobuf.Timestamp; valid is false when it is no time that nanoseconds in 64 bits can hold.
func (s *state) timestamp(message []byte) (nano int64, valid bool, err error) {
	var seconds, nanos uint64
	// Fast path: both fields in their order, seconds of five bytes (1971 to 3058).
	if len(message) > 7 && message[0] == timestampSeconds<<3 && message[6] == timestampNanos<<3 && message[5] < 0x80 {
		a, n := binary.Uvarint(message[1:])
		b, m := binary.Uvarint(message[7:])
		if n == 5 && m == len(message)-7 {
			return joinTime(a, b)
		}
	}
	var field easyproto.FieldContext
	for len(message) > 0 {
		at := message
		if message, err = field.NextField(message); err != nil {
			return 0, false, s.malformed(at, "Timestamp", err)
		}
		ok := true
		switch field.FieldNum {
		case timestampSeconds:
			seconds, ok = field.Uint64()
		case timestampNanos:
			nanos, ok = field.Uint64()
		}
		if !ok {
			return 0, false, s.malformed(at, "Timestamp", errWireType)
		}
	}
	return joinTime(seconds, nanos)
}

func joinTime(seconds, nanos uint64) (nano int64, valid bool, err error) {
	const most = math.MaxInt64/int64(time.Second) - 1
	n := int32(nanos)
	if sec := int64(seconds); sec >= -most && sec <= most && n >= 0 && int64(n) < int64(time.Second) {
		return sec*int64(time.Second) + int64(n), true, nil
	}
	return 0, false, nil
}

func (s *state) protoAttr(message []byte) error {
	var field easyproto.FieldContext
	var pair seamark.Label
	for len(message) > 0 {
		at := message
		var err error
		if message, err = field.NextField(message); err != nil {
			return s.malformed(at, "Entry.structuredMetadata", err)
		}
		ok := true
		switch field.FieldNum {
		case pairName:
			pair.Name, ok = field.String()
		case pairValue:
			pair.Value, ok = field.String()
		}
		if !ok {
			return s.malformed(at, "Entry.structuredMetadata", errWireType)
		}
	}
	s.attrs = append(s.attrs, pair)
	return s.batch.Reserve(seamark.LabelBytes)
}

// malformed is the error of a body that is not a PushRequest. at is the rest of a message from the offending field on;
// slices of the body end where its capacity ends, which gives the offset without counting on the hot path.
func (s *state) malformed(at []byte, message string, cause error) error {
	where := ""
	if offset := cap(s.body) - cap(at); offset >= 0 && offset <= len(s.body) {
		where = fmt.Sprintf(" at byte %d of %d", offset, len(s.body))
	}
	return seamark.Wrap(cause, seamark.Invalid, malformedProtoID,
		"The body is not a valid logproto.PushRequest: %s is malformed%s. Send snappy-compressed protobuf, or JSON with Content-Type application/json.",
		message, where)
}
