package pushgateway

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"mime"
	"strconv"
	"strings"
	"unicode/utf8"

	promexemplar "github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The media types of the three forms.
const (
	textMedia        = "text/plain"
	openMetricsMedia = "application/openmetrics-text"
	protobufMedia    = "application/vnd.google.protobuf"
)

// mediaOf returns the form of a body. Whatever is not told apart is text, as with the Pushgateway: curl calls the text it
// is given a form.
func mediaOf(contentType string) (string, error) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return textMedia, nil
	}
	switch media {
	case openMetricsMedia:
		if strings.HasPrefix(params["version"], "2") {
			return "", unsupported(contentType)
		}
		return media, nil
	case protobufMedia:
		if e := params["encoding"]; e != "" && e != "delimited" {
			return "", unsupported(contentType)
		}
		if p := params["proto"]; p != "" && p != "io.prometheus.client.MetricFamily" {
			return "", unsupported(contentType)
		}
		return media, nil
	}
	return textMedia, nil
}

func unsupported(contentType string) error {
	return seamark.Errorf(seamark.Unsupported, "seamark-media-unsupported", "The Content-Type %.100q is not supported; send text/plain "+
		"(version 0.0.4), application/openmetrics-text (version 1.0.0) or application/vnd.google.protobuf (encoding delimited).", contentType)
}

// malformedID is the id of a body that cannot be read.
const malformedID = "seamark-exposition-malformed"

// reader collects the families of one body.
type reader struct {
	parser   textparse.Parser
	key      Key
	families []*family
	byName   map[string]*family
	bytes    int // of labels and values read so far
	limit    int
}

// parse reads a body into families with at least one series each. Labels that the key has are left out: the group's own
// win. Malformed bodies give Invalid seamark-exposition-malformed, timestamps seamark-push-timestamp, contradictions
// seamark-push-inconsistent, and more than limit bytes TooLarge seamark-pushgroup-large. Strings may alias body.
func parse(body []byte, contentType string, key Key, limit int) ([]*family, error) {
	media, err := mediaOf(contentType)
	if err != nil {
		return nil, err
	}
	r := reader{key: key, byName: map[string]*family{}, limit: limit}
	switch media {
	case protobufMedia:
		err = r.frames(body)
	case openMetricsMedia:
		err = r.read(terminated(body), media)
	default:
		err = r.read(body, media)
	}
	if err != nil {
		if _, ok := errors.AsType[*seamark.Error](err); ok {
			return nil, err
		}
		return nil, malformed(body, media, err)
	}
	kept := r.families[:0]
	for _, f := range r.families {
		if len(f.series) > 0 && !isOwnMetric(f.Name) {
			kept = append(kept, f)
		}
	}
	return kept, nil
}

// terminated returns an OpenMetrics body with its last line. The specification wants it against truncation, which HTTP
// tells us, and client_golang's pusher leaves it out.
func terminated(body []byte) []byte {
	trimmed := bytes.TrimRight(body, "\n")
	if bytes.HasSuffix(trimmed, []byte("# EOF")) {
		return body
	}
	if len(trimmed) == 0 {
		return []byte("# EOF\n")
	}
	return append(trimmed[:len(trimmed):len(trimmed)], "\n# EOF\n"...)
}

// maxFrames bounds the families of a protobuf body. Without it a body of empty ones costs a parser each.
const maxFrames = 1 << 16

// frames reads delimited protobuf a family at a time: the parser recurses over empty families, so that a body of them
// would overflow the stack.
func (r *reader) frames(body []byte) error {
	for frames := 1; len(body) > 0; frames++ {
		size, n := binary.Uvarint(body)
		if n <= 0 || size > uint64(len(body)-n) {
			return errors.New("a family's length goes beyond the body")
		}
		if frames > maxFrames {
			return seamark.Errorf(seamark.TooLarge, "seamark-pushgroup-large", "The body has more than %d metric families, the limit of one push.", maxFrames)
		}
		end := n + int(size)
		if size > 0 {
			if err := r.read(body[:end], protobufMedia); err != nil {
				return err
			}
		}
		body = body[end:]
	}
	return nil
}

// read reads a body, or a part of one that can stand alone.
func (r *reader) read(body []byte, media string) error {
	// The capacity is cut because a parser appends a newline.
	parser, err := textparse.New(body[:len(body):len(body)], media, nil, textparse.ParserOptions{KeepClassicOnClassicAndNativeHistograms: true})
	if err != nil {
		return err
	}
	r.parser = parser
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = r.entry(entry)
		}
		if err != nil {
			return err
		}
	}
}

func (r *reader) entry(entry textparse.Entry) error {
	switch entry {
	case textparse.EntryType:
		name, metricType := r.parser.Type()
		f := r.family(string(name))
		if f.typed && f.Type != string(metricType) {
			return inconsistent("Family %.100q is declared both %s and %s.", f.Name, f.Type, metricType)
		}
		f.typed, f.Type = true, string(metricType)
	case textparse.EntryHelp:
		name, help := r.parser.Help()
		r.family(string(name)).Help = string(help)
	case textparse.EntryUnit:
		name, unit := r.parser.Unit()
		r.family(string(name)).Unit = string(unit)
	case textparse.EntrySeries:
		_, stamp, value := r.parser.Series()
		return r.add(series{value: value}, stamp)
	case textparse.EntryHistogram:
		_, stamp, whole, float := r.parser.Histogram()
		h, err := nativeHistogram(whole, float)
		if err != nil {
			return err
		}
		return r.add(series{histogram: h}, stamp)
	case textparse.EntryComment, textparse.EntryInvalid:
	}
	return nil
}

func nativeHistogram(whole *histogram.Histogram, float *histogram.FloatHistogram) (*prompb.Histogram, error) {
	if whole != nil {
		if err := whole.Validate(); err != nil {
			return nil, err
		}
		h := prompb.FromIntHistogram(0, whole)
		return &h, nil
	}
	if err := float.Validate(); err != nil {
		return nil, err
	}
	h := prompb.FromFloatHistogram(0, float)
	return &h, nil
}

// add appends the series that the parser stands at.
func (r *reader) add(s series, stamp *int64) error {
	var set labels.Labels
	r.parser.Labels(&set)
	set.Range(func(l labels.Label) {
		if l.Value != "" && !r.key.has(l.Name) {
			s.labels = append(s.labels, seamark.Label{Name: l.Name, Value: l.Value})
			r.bytes += len(l.Name) + len(l.Value)
		}
	})
	if r.bytes += 16; s.histogram != nil {
		r.bytes += s.histogram.Size()
	}
	if stamp != nil {
		return seamark.Errorf(seamark.Invalid, "seamark-push-timestamp", "Metric %.100q has a timestamp. Pushed metrics must not have "+
			"timestamps: their time is that of the push and of every repetition. Remove them.", s.name())
	}
	if r.bytes > r.limit {
		return groupLarge(r.bytes, r.limit)
	}
	var e promexemplar.Exemplar
	for r.parser.Exemplar(&e) {
		s.exemplars = append(s.exemplars, newExemplar(&e))
		e = promexemplar.Exemplar{}
	}
	f := r.familyOf(s.name())
	f.series = append(f.series, s)
	return nil
}

func newExemplar(e *promexemplar.Exemplar) exemplar {
	out := exemplar{value: e.Value}
	e.Labels.Range(func(l labels.Label) { out.labels = append(out.labels, seamark.Label{Name: l.Name, Value: l.Value}) })
	if e.HasTs {
		out.timeMilli = e.Ts
	}
	return out
}

// family returns the family of that name, which it makes when it is new.
func (r *reader) family(name string) *family {
	f := r.byName[name]
	if f == nil {
		f = &family{Family: Family{Name: name, Type: "unknown"}}
		r.byName[name] = f
		r.families = append(r.families, f)
	}
	return f
}

// suffixes that the series of a family carry behind its name, by type.
func suffixes(metricType string) []string {
	switch metricType {
	case "histogram":
		return []string{"_bucket", "_sum", "_count", "_created"}
	case "summary":
		return []string{"_sum", "_count", "_created"}
	case "counter":
		return []string{"_total", "_created"}
	case "gaugehistogram":
		return []string{"_bucket", "_sum", "_count", "_gsum", "_gcount"}
	case "info":
		return []string{"_info"}
	}
	return nil
}

// familyOf returns the family of a series: the one that is called like it, or the declared one that it is a part of.
func (r *reader) familyOf(name string) *family {
	if f := r.byName[name]; f != nil {
		return f
	}
	if at := strings.LastIndexByte(name, '_'); at > 0 {
		if f := r.byName[name[:at]]; f != nil && f.typed {
			for _, suffix := range suffixes(f.Type) {
				if name[at:] == suffix {
					return f
				}
			}
		}
	}
	return r.family(name)
}

// malformed is the error of a body that cannot be read. The parsers tell no place, so the text forms are read again line
// by line, which costs only the senders of such bodies.
func malformed(body []byte, media string, cause error) error {
	where := ""
	if media != protobufMedia {
		if line := brokenLine(body, media); line > 0 {
			where = " in line " + strconv.Itoa(line)
		}
	}
	const most = 200
	text := strings.ToValidUTF8(cause.Error(), "\uFFFD")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return seamark.Wrap(cause, seamark.Invalid, malformedID, "The body is not valid %s%s: %s. Nothing of it was stored.", media, where, text)
}

// brokenLine returns the number of the first line that cannot be read alone, 0 when each can.
func brokenLine(body []byte, media string) int {
	number := 0
	for line := range bytes.Lines(body) {
		number++
		text := append(bytes.TrimSuffix(bytes.Clone(line), []byte{'\n'}), '\n')
		if media == openMetricsMedia {
			if bytes.HasPrefix(line, []byte("# EOF")) {
				return 0
			}
			text = append(text, "# EOF\n"...)
		}
		parser, err := textparse.New(text, media, nil, textparse.ParserOptions{})
		for err == nil {
			_, err = parser.Next()
		}
		if !errors.Is(err, io.EOF) || !utf8.Valid(line) {
			return number
		}
	}
	return 0
}
