package datadog

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// badLogID is the reason for refusing a log that is no object.
const badLogID = "seamark-log-shape"

// DecodeLogs appends the logs of a body of /api/v2/logs or /v1/input to b: an array of objects, one object, or one after
// the other. Fields with a meaning of their own (message, status, timestamp, service, hostname, and the Kubernetes tags in
// ddtags) go where records of all protocols have them; other fields and tags become attributes. Empty objects, as agents
// send them to see whether we are there, are nothing. Strings in b may alias body. Logs that are no objects and those
// whose labels cat refuses are counted in b.Rejected while the rest is kept, and so is a broken line behind good ones. The
// error is a *seamark.Error: Invalid seamark-body-json with the offset, after which b must not be used.
func (d *Decoder) DecodeLogs(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) error {
	s := d.take(body, cat, b, o)
	defer d.give(s)
	const want = `a list of logs, [{"message":"line","ddsource":"nginx","ddtags":"env:prod"}]`
	switch firstByte(body) {
	case 0:
		return nil
	case '[':
		return notJSON(record.Elements(body, s.log), want)
	}
	return notJSON(s.logLines(body), want)
}

// logLines reads values one after the other. Behind a broken one it goes on at the next line.
func (s *state) logLines(rest []byte) error {
	for first := true; firstByte(rest) != 0; first = false {
		n, err := record.Value(rest)
		if err != nil {
			if first {
				return err
			}
			s.rejectRows(seamark.Logs, badLogID, func() string {
				return fmt.Sprintf("The log at byte %d is not JSON; send one object on each line.", len(s.body)-len(rest))
			})
			line := len(rest) - len(bytes.TrimLeft(rest, " \t\r\n"))
			end := bytes.IndexByte(rest[line:], '\n')
			if end < 0 {
				return nil
			}
			rest = rest[line+end:]
			continue
		}
		if err := s.log(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// log appends one log.
func (s *state) log(raw []byte) error {
	if firstByte(raw) != '{' {
		s.rejectRows(seamark.Logs, badLogID, func() string { return fmt.Sprintf("A log is %.40q; it must be an object with a message.", raw) })
		return nil
	}
	b := s.record
	b.Reset()
	s.labels.reset()
	fields := 0
	err := record.Members(raw, func(key string, value []byte) error {
		fields++
		switch key {
		case "ddtags":
			s.addLogTags(value)
			return nil
		case "ddsource":
			source := text(value)
			b.SetDefault("service_name", source)
			b.Add(key, source)
			return nil
		}
		return b.AddJSON(key, value)
	})
	if err != nil || fields == 0 {
		return err
	}
	return s.flush()
}

// addLogTags takes "key:value,key:value", or an array of such tags.
func (s *state) addLogTags(raw []byte) {
	add := func(tag string) error {
		key, value := splitTag(strings.TrimSpace(tag))
		s.labels.add(key, value)
		return nil
	}
	if firstByte(raw) == '[' {
		_ = eachTag(raw, add) // the body was read as JSON before
		return
	}
	for tag := range strings.SplitSeq(text(raw), ",") {
		_ = add(tag) // it has no error
	}
}

// flush appends the record with the tags that were added. The record's own fields come first: a tag does not override
// them.
func (s *state) flush() error {
	s.labels.merge()
	for _, tag := range s.labels.tags {
		s.record.Add(tag.Name, tag.Value)
	}
	err := s.record.Flush(s.cat, s.batch)
	if err != nil {
		return s.refuse(seamark.Logs, 1, err)
	}
	return nil
}
