package datadog

import (
	"fmt"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// checkMetric is the gauge that service checks become.
	checkMetric = "datadog_service_check"
	badCheckID  = "seamark-check-shape"
)

// DecodeCheckRun appends the service checks of a body of /api/v1/check_run, an array or one object, to b: samples of the
// gauge datadog_service_check with the status as value and the labels check and host beside the tags. Strings in b may
// alias body. Checks without a status from 0 to 3 are counted in b.Rejected while the rest is kept. The error is a
// *seamark.Error: Invalid seamark-body-json with the offset, after which b must not be used.
func (d *Decoder) DecodeCheckRun(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) error {
	s := d.take(body, cat, b, o)
	defer d.give(s)
	return notJSON(eachObject(body, s.check), `a list of service checks, [{"check":"name","host_name":"h","status":0}]`)
}

// eachObject calls f for the elements of an array, or for the one value that raw is.
func eachObject(raw []byte, f func(raw []byte) error) error {
	if firstByte(raw) == '[' {
		return record.Elements(raw, f)
	}
	if err := record.Members(raw, func(string, []byte) error { return nil }); err != nil {
		return err // checked as a whole, so that f is not called for the start of something broken
	}
	return f(raw)
}

// serviceCheck is a check whose values are still JSON.
type serviceCheck struct{ name, host, status, time, tags []byte }

func (c *serviceCheck) member(key string, value []byte) error {
	switch key {
	case "check":
		c.name = value
	case "host_name":
		c.host = value
	case "status":
		c.status = value
	case "timestamp":
		c.time = value
	case "tags":
		c.tags = value
	}
	return nil
}

func (s *state) check(raw []byte) error {
	var c serviceCheck
	if firstByte(raw) != '{' {
		s.reject(badCheckID, func() string { return fmt.Sprintf("A service check is %.40q; it must be an object.", raw) })
		return nil
	}
	if err := record.Members(raw, c.member); err != nil {
		return err
	}
	if c.name == nil && c.status == nil {
		return nil // an agent that looks whether we are there
	}
	status, ok := number(c.status)
	if name := text(c.name); !ok || name == "" || status != 0 && status != 1 && status != 2 && status != 3 {
		s.reject(badCheckID, func() string {
			return fmt.Sprintf("Service check %.100q has the status %.20q; it must have a name and a status from 0 to 3.", name, c.status)
		})
		return nil
	}
	seconds, _ := number(c.time)
	at, ok := s.fractionMilli(seconds)
	if !ok {
		s.rejectTime(checkMetric, seconds)
		return nil
	}
	return s.checkSample(&c, at, status)
}

func (s *state) checkSample(c *serviceCheck, at int64, status float64) error {
	if err := s.batch.Reserve(seamark.SeriesBytes + seamark.SampleBytes); err != nil {
		return err
	}
	s.identity.reset()
	for i, part := range [...][]byte{c.name, c.host, c.tags} {
		s.name(byte(i), part)
	}
	key := s.identity.key(checkKeySpace)
	series := s.cat.Find(key)
	if series == nil {
		s.labels.reset()
		if err := eachTag(c.tags, s.addTag); err != nil {
			return err
		}
		s.labels.set("check", text(c.name))
		s.labels.set("host", text(c.host))
		var err error
		if series, err = s.create(key, checkMetric); err != nil {
			return s.refuse(seamark.Metrics, 1, err)
		}
	}
	if err := s.describe(series, typeGauge, ""); err != nil {
		return err
	}
	s.batch.Samples.Append(s.batch.Samples.AddSeries(series), at, status)
	return nil
}
