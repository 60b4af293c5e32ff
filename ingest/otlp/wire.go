package otlp

import (
	"errors"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxDepth bounds how deep attribute values may nest. Without it a body of brackets alone exhausts the stack. It is the
// recursion limit of most protobuf implementations.
const maxDepth = 100

// wire remembers the body that is being decoded, so that a fault can say where it is, and holds what its rows refer to
// beside it.
type wire struct {
	body  []byte
	arena arena
}

// offset returns where in the body the sub-slice at begins. It relies on sub-slices keeping the body's capacity.
func (w *wire) offset(at []byte) int {
	return max(0, min(cap(w.body)-cap(at), len(w.body)))
}

// broken is the fault of bytes that are not protobuf; at is what was left when reading failed.
func (w *wire) broken(message string, at []byte, err error) error {
	return seamark.Wrap(err, seamark.Invalid, bodyFault,
		"The protobuf body is broken near byte %d of %d, in message %s; it is truncated or not an OTLP request.",
		w.offset(at), len(w.body), message)
}

// bodyFault is the id of every fault of the protobuf itself.
const bodyFault = "seamark-body-protobuf"

var errWireType = errors.New("wrong wire type")

// mistyped is the fault of a known field with another wire type than opentelemetry-proto gives it.
func (w *wire) mistyped(message string, field uint32, after []byte) error {
	return seamark.Wrap(errWireType, seamark.Invalid, bodyFault,
		"Field %d of message %s, which ends at byte %d of %d, has another type than opentelemetry-proto gives it.",
		field, message, w.offset(after), len(w.body))
}

// tooDeep is the fault of values nested deeper than maxDepth.
func (w *wire) tooDeep(at []byte) error {
	return seamark.Errorf(seamark.Invalid, bodyFault,
		"The attribute value or body at byte %d of %d nests deeper than %d levels, the limit.", w.offset(at), len(w.body), maxDepth)
}

// eachOf calls f for each embedded message that stands in the field.
func (w *wire) eachOf(message string, src []byte, field uint32, f func(data []byte) error) error {
	var fc easyproto.FieldContext
	var err error
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return w.broken(message, src, err)
		}
		if fc.FieldNum != field {
			continue
		}
		data, ok := fc.MessageData()
		if !ok {
			return w.mistyped(message, fc.FieldNum, src)
		}
		if err := f(data); err != nil {
			return err
		}
	}
	return nil
}

// rejection returns the catalogue's refusal of a label set, which costs its rows only and not the request.
func rejection(err error) (*seamark.Error, bool) {
	e, ok := errors.AsType[*seamark.Error](err)
	return e, ok && e.Kind == seamark.Invalid
}
