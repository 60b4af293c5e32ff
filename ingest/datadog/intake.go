package datadog

import (
	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// DecodeIntake appends the events of a body of /intake/ to b as log lines: the title, and the text on the lines behind it;
// the alert type gives the level, tags and the other fields become attributes, and the source is the service where no tag
// tells one. Metadata of hosts, which agents send to the same path, is read over. Strings in b may alias body. The error is
// a *seamark.Error: Invalid seamark-body-json with the offset, after which b must not be used.
func (d *Decoder) DecodeIntake(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) error {
	s := d.take(body, cat, b, o)
	defer d.give(s)
	err := record.Members(body, func(key string, value []byte) error {
		if key != "events" {
			return nil
		}
		switch firstByte(value) {
		case '[':
			return s.events("", value)
		case '{':
			return record.Members(value, s.events)
		}
		return nil
	})
	return notJSON(err, `an intake payload, {"events":{"source":[{"msg_title":"t","msg_text":"x"}]}}`)
}

// events appends the events of one source.
func (s *state) events(source string, list []byte) error {
	if firstByte(list) != '[' {
		return nil
	}
	return record.Elements(list, func(raw []byte) error {
		if firstByte(raw) != '{' {
			s.rejectRows(seamark.Logs, badLogID, func() string { return "An event of the intake is no object." })
			return nil
		}
		return s.event(source, raw)
	})
}

func (s *state) event(source string, raw []byte) error {
	b := s.record
	b.Reset()
	s.labels.reset()
	b.SetDefault("service_name", source)
	var title, body string
	err := record.Members(raw, func(key string, value []byte) error {
		switch key {
		case "msg_title":
			title = text(value)
		case "msg_text":
			body = text(value)
		case "alert_type":
			word := text(value)
			if word == "success" {
				b.SetLevel("info")
			}
			b.SetLevel(word)
			b.Add(key, word)
		case "tags":
			return eachTag(value, func(tag string) error {
				s.labels.add(splitTag(tag))
				return nil
			})
		default:
			return b.AddJSON(key, value)
		}
		return nil
	})
	if err != nil {
		return err
	}
	switch {
	case body == "":
		body = title
	case title != "":
		body = title + "\n" + body
	}
	b.SetBody(body)
	return s.flush()
}
