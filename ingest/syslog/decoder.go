package syslog

import (
	"time"
	"unsafe"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// DecodeOptions says how messages are made rows.
type DecodeOptions struct {
	// Now is the time of messages that tell none.
	Now time.Time
	// MaxAttrs bounds the attributes of a row; 0 means seamark.DefaultLimits().MaxAttrs.
	MaxAttrs int
}

// Decoder makes rows of messages. It keeps scratch memory and is not safe for concurrent use; make one with NewDecoder.
type Decoder struct {
	builder *record.Builder
	path    []byte // of the structured data parameter that is being added
}

// NewDecoder makes a Decoder.
func NewDecoder() *Decoder { return &Decoder{builder: record.New(record.Options{})} }

// Begin takes the options of the messages that follow.
func (d *Decoder) Begin(o DecodeOptions) {
	d.builder.Begin(record.Options{Now: o.Now, MaxAttrs: o.MaxAttrs})
}

// Release lets go of everything that was appended, so that a kept Decoder pins no memory. Begin makes it usable again.
func (d *Decoder) Release() { d.builder.Release() }

// Append appends m to b as one row whose strings alias m's. The application is the service unless structured data names
// a container, the host is the node, facility, procid and msgid are attributes, as are structured data's parameters under
// sd_<id>_<parameter>. Parameters of the element "kubernetes", as Fluent Bit's syslog output writes it, are read as what
// its Kubernetes filter found.
//
// A row whose labels cat refuses is counted in b.Rejected. The error is that of b's memory and ends the batch.
func (d *Decoder) Append(m *Message, cat seamark.Catalog, b *seamark.Batch) error {
	r := d.builder
	if m.HasPriority {
		r.SetLevel(severityWord(m.Severity))
		r.Add("facility", facilityName(m.Facility))
	}
	r.SetTime(m.TimeNano)
	r.SetBody(m.Body)
	if m.AppName != "" {
		r.SetDefault("service_name", m.AppName)
	}
	if m.Hostname != "" {
		r.Add("hostname", m.Hostname)
	}
	if m.ProcID != "" {
		r.Add("procid", m.ProcID)
	}
	if m.MsgID != "" {
		r.Add("msgid", m.MsgID)
	}
	for _, p := range m.Params {
		r.Add(d.paramPath(p), p.Value)
	}
	err := r.Flush(cat, b)
	if refused, ok := record.Refused(err); ok {
		b.Rejected.Add(seamark.Logs, 1, refused.ID, refused.Message)
		return nil
	}
	return err
}

// paramPath names a parameter. The builder copies the path.
func (d *Decoder) paramPath(p Param) string {
	d.path = d.path[:0]
	if p.ID == "kubernetes" {
		d.path = append(append(d.path, p.ID...), '.')
	} else {
		d.path = append(append(append(d.path, "sd_"...), p.ID...), '_')
	}
	d.path = append(d.path, p.Name...)
	return unsafe.String(unsafe.SliceData(d.path), len(d.path))
}

// severityWord names a severity as RFC 5424's table does, in syslog.conf's words.
func severityWord(severity uint8) string {
	words := [8]string{"emerg", "alert", "crit", "error", "warning", "notice", "info", "debug"}
	return words[severity&7]
}

// facilityName names a facility as syslog.conf does; RFC 5424 numbers them.
func facilityName(facility uint8) string {
	names := [24]string{
		"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit",
		"alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
	return names[facility%uint8(len(names))]
}
