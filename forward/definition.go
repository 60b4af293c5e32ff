package forward

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Definition is a forwarder as its tenant sees it. The values of secrets are in it only on their way in.
type Definition struct {
	Name     string    `json:"name"`
	Signal   string    `json:"signal"` // logs or events
	Filter   string    `json:"filter"` // a LogQL log query
	Paused   bool      `json:"paused"`
	Batch    Batching  `json:"batch"`
	Target   Target    `json:"target"`
	Revision uint64    `json:"revision"` // rises with every change
	Created  time.Time `json:"created_at"`
	Updated  time.Time `json:"updated_at"`
}

// Batching says when a batch is sent: at the first of its limits. Zero takes the default.
type Batching struct {
	MaxRows       int `json:"max_rows"`
	MaxBytes      int `json:"max_bytes"`       // of rows as NDJSON, before compression
	MaxAgeSeconds int `json:"max_age_seconds"` // of the oldest message in it
}

func (b *Batching) age() time.Duration { return time.Duration(b.MaxAgeSeconds) * time.Second }

// Limits bounds forwarders; all of them are flags.
type Limits struct {
	// MaxPerTenant bounds a tenant's forwarders. Without it one tenant's take the time of all: each decodes all its lines.
	MaxPerTenant int
	// MaxBatchBytes bounds a batch. One stands in memory for each forwarder and shard that has lines.
	MaxBatchBytes int
	// MaxBatchAge bounds how long lines may wait for others. Longer than messages stay in the stream, they would be lost.
	MaxBatchAge time.Duration
	// MaxAttempts is how often a batch is sent that the target refuses for good, before it is given up.
	MaxAttempts int
}

// DefaultLimits returns the limits of `seamark serve`.
func DefaultLimits() Limits {
	return Limits{MaxPerTenant: 20, MaxBatchBytes: 8 << 20, MaxBatchAge: 5 * time.Minute, MaxAttempts: 8}
}

const (
	defaultBatchRows    = 5000
	defaultBatchBytes   = 1 << 20
	defaultBatchSeconds = 2
	// maxBatchRows bounds what a target is asked to take at once, whatever its rows' size.
	maxBatchRows = 100_000
	minBatchByte = 1 << 10
	// maxFilterBytes bounds a filter, which stands in a document with all the rest.
	maxFilterBytes = 16 << 10
)

// nameForm is what a forwarder may be called: a part of a key, of object names and of headers.
func nameForm() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`) }

// normalise fills what was left out and refuses what cannot work. It does not look into the filter.
func (d *Definition) normalise(l *Limits) error {
	if !nameForm().MatchString(d.Name) {
		return invalid("name: %.80q is no name; it has 1 to 63 small letters, digits and dashes, and begins and ends with none of the latter", d.Name)
	}
	if d.Signal == "" {
		d.Signal = seamark.Logs.String()
	}
	if !slices.Contains(Signals(), d.signal()) {
		return invalid("signal: %.40q cannot be forwarded; logs and events can", d.Signal)
	}
	if d.Filter == "" || len(d.Filter) > maxFilterBytes {
		return invalid("filter: it has %d bytes; a LogQL query such as {app=\"api\"} |= \"error\" of at most %d is needed", len(d.Filter), maxFilterBytes)
	}
	if err := d.Batch.normalise(l); err != nil {
		return err
	}
	return d.Target.normalise()
}

// signal returns the definition's signal, 0 for an unknown one.
func (d *Definition) signal() seamark.Signal {
	s, _ := seamark.ParseSignal(d.Signal)
	return s
}

func (b *Batching) normalise(l *Limits) error {
	for _, limit := range []struct {
		name            string
		value           *int
		standard, least int
		most            int
	}{
		{"max_rows", &b.MaxRows, defaultBatchRows, 1, maxBatchRows},
		{"max_bytes", &b.MaxBytes, min(defaultBatchBytes, l.MaxBatchBytes), minBatchByte, l.MaxBatchBytes},
		{"max_age_seconds", &b.MaxAgeSeconds, min(defaultBatchSeconds, int(l.MaxBatchAge.Seconds())), 1, int(l.MaxBatchAge.Seconds())},
	} {
		if *limit.value == 0 {
			*limit.value = limit.standard
		}
		if *limit.value < limit.least || *limit.value > limit.most {
			return invalid("batch.%s: %d is not between %d and the limit of %d", limit.name, *limit.value, limit.least, limit.most)
		}
	}
	return nil
}

// invalid refuses a forwarder. A text that begins with the path of a field, "target.nats.url: ", points at it.
func invalid(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	e := seamark.Errorf(seamark.Invalid, "seamark-forwarder-invalid", "The forwarder is not valid: %s.", text)
	if path, detail, ok := strings.Cut(text, ": "); ok && !strings.Contains(path, " ") {
		e.Fields = []seamark.FieldFault{{Pointer: "/" + strings.ReplaceAll(path, ".", "/"), Detail: strings.ToUpper(detail[:1]) + detail[1:] + "."}}
	}
	return e
}

// Secret is a value that is written and never read back.
type Secret struct {
	// Value is the secret, on its way in. One without a value, but with Set, stands for the stored one.
	Value string `json:"value,omitempty"`
	Set   bool   `json:"set"`
	// Fingerprint tells one value from another, and nothing about either: it is keyed.
	Fingerprint string `json:"fingerprint,omitempty"`
}

// String hides the value from whatever prints.
func (Secret) String() string { return "[secret]" }

// GoString hides the value from %#v.
func (Secret) GoString() string { return "[secret]" }

// LogValue hides the value from logs.
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }
