package datadog

import (
	"errors"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// protobufID is the id of every fault of the protobuf itself.
const protobufID = "seamark-body-protobuf"

var errWireType = errors.New("the field has another wire type than its definition")

// malformed is the error of a body that is not the message it should be. at is the rest of a message from the offending
// field on.
func (s *state) malformed(at []byte, message string, cause error) error {
	// Slices of the body end where its capacity ends, which gives the offset without counting on the hot path.
	offset := max(0, min(cap(s.body)-cap(at), len(s.body)))
	return seamark.Wrap(cause, seamark.Invalid, protobufID,
		"The body is not a valid Datadog payload: message %s is malformed near byte %d of %d. Send agentpayload.MetricPayload to /api/v2/series and agentpayload.SketchPayload to /api/beta/sketches.",
		message, offset, len(s.body))
}

// isProbe tells the body {} that an agent posts to every path, whatever its form, to see whether we are there.
func isProbe(body []byte) bool { return string(body) == "{}" }

// field returns a place for the fields of a message. Messages have messages in them, so there are several; one for each
// message, made anew, takes many times a body of empty messages.
func (s *state) field() *easyproto.FieldContext {
	if n := len(s.fields); n > 0 {
		fc := s.fields[n-1]
		s.fields = s.fields[:n-1]
		return fc
	}
	return new(easyproto.FieldContext)
}

// idle takes the place back.
func (s *state) idle(fc *easyproto.FieldContext) {
	*fc = easyproto.FieldContext{} // it refers to the body
	s.fields = append(s.fields, fc)
}

// eachField calls f for each field of a message. before is the message's rest from the field on, after the rest behind it.
func (s *state) eachField(message string, src []byte, f func(fc *easyproto.FieldContext, before, after []byte) (ok bool, err error)) error {
	fc := s.field()
	defer s.idle(fc)
	for len(src) > 0 {
		after, err := fc.NextField(src)
		if err != nil {
			return s.malformed(src, message, err)
		}
		ok, err := f(fc, src, after)
		if err != nil {
			return err
		}
		if !ok {
			return s.malformed(src, message, errWireType)
		}
		src = after
	}
	return nil
}
