package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxEvents bounds the events of one request. An event takes twenty times its shortest JSON in memory; without the limit
// one request could take all of it. Senders post one event, or a list of some thousands when they start.
const maxEvents = 100_000

// DecodeObjects appends the events of body to b; now stands in for times that an event does not tell. An event that
// cannot be read is counted in b.Rejected while the others are kept; a watch that tells of a deletion or a bookmark is
// passed over, because nothing happened to the object of the event. The error is a *seamark.Error: Invalid
// seamark-body-json when body is not JSON of that shape, TooLarge seamark-events-limit when it holds too many; b then
// holds a part of the request and must not be used.
func DecodeObjects(body []byte, now time.Time, b *seamark.Batch) error {
	d := objectDecoder{body: body, json: json.NewDecoder(bytes.NewReader(body)), now: now, batch: b}
	for more := true; more; {
		var err error
		if more, err = d.value(); err != nil {
			return err
		}
	}
	if d.events == 0 && !d.listed {
		return d.broken(io.ErrUnexpectedEOF)
	}
	return nil
}

// objectDecoder walks a body. It reads list items one by one, so that a long list is not held twice.
type objectDecoder struct {
	body   []byte
	json   *json.Decoder
	now    time.Time
	batch  *seamark.Batch
	events int
	listed bool // there was a list, if an empty one
}

// value reads one event, list or array and says whether there was one.
func (d *objectDecoder) value() (more bool, err error) {
	token, err := d.json.Token()
	switch {
	case errors.Is(err, io.EOF):
		return false, nil
	case err != nil:
		return false, d.broken(err)
	case token == json.Delim('['):
		return true, d.items()
	case token == json.Delim('{'):
		return true, d.object(d.json.InputOffset() - 1)
	}
	return false, seamark.Errorf(seamark.Invalid, "seamark-body-json",
		"The body has %.40v before byte %d where a Kubernetes event, a list or an array of events is due.", token, d.json.InputOffset())
}

// items reads the rest of an array of events.
func (d *objectDecoder) items() error {
	d.listed = true
	for d.json.More() {
		var raw json.RawMessage
		if err := d.json.Decode(&raw); err != nil {
			return d.broken(err)
		}
		if err := d.event(raw, d.json.InputOffset()-int64(len(raw))); err != nil {
			return err
		}
	}
	_, err := d.json.Token()
	return d.broken(err)
}

// object reads the rest of an object that began at start: a List when it has items, else an event.
func (d *objectDecoder) object(start int64) error {
	list := false
	for d.json.More() {
		key, err := d.json.Token()
		if err != nil {
			return d.broken(err)
		}
		if key == "items" && d.nextIsArray() {
			list = true
			if _, err := d.json.Token(); err != nil {
				return d.broken(err)
			}
			if err := d.items(); err != nil {
				return err
			}
			continue
		}
		var skipped json.RawMessage
		if err := d.json.Decode(&skipped); err != nil {
			return d.broken(err)
		}
	}
	if _, err := d.json.Token(); err != nil {
		return d.broken(err)
	}
	if list {
		return nil
	}
	return d.event(d.body[start:d.json.InputOffset()], start)
}

// nextIsArray looks behind a key and its colon.
func (d *objectDecoder) nextIsArray() bool {
	rest := bytes.TrimLeft(d.body[d.json.InputOffset():], ": \t\r\n")
	return len(rest) > 0 && rest[0] == '['
}

// event reads one event, or what stands in its place, that begins at byte offset of the body.
func (d *objectDecoder) event(raw []byte, offset int64) error {
	d.events++
	if d.events > maxEvents {
		return tooMany()
	}
	if err := d.batch.Reserve(seamark.EventBytes + len(raw)); err != nil {
		return err
	}
	before := len(d.batch.Events)
	list, refusal := appendEvents(d.batch.Events, raw, d.now)
	d.batch.Events = list
	if refusal != nil {
		d.refuse(refusal.id, refusal.what, offset)
		return nil
	}
	if more := len(list) - before - 1; more > 0 {
		d.events += more
		return d.batch.Reserve(more * seamark.EventBytes)
	}
	return nil
}

func (d *objectDecoder) refuse(reason, what string, offset int64) {
	detail := ""
	if !slices.ContainsFunc(d.batch.Rejected.Reasons, func(r seamark.Rejection) bool { return r.Reason == reason }) {
		detail = sentence(d.events, offset, what) // kept from the first of its reason alone
	}
	d.batch.Rejected.Add(seamark.Events, 1, reason, detail)
}

// broken is the fault of a body that is not JSON; nil for nil.
func (d *objectDecoder) broken(err error) error {
	if err == nil {
		return nil
	}
	return seamark.Wrap(err, seamark.Invalid, "seamark-body-json",
		"The body is not JSON of Kubernetes events: it breaks behind byte %d of %d.", d.json.InputOffset(), len(d.body))
}
