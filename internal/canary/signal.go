package canary

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
)

// job is the label value, the namespace and the component that all rows of canaries have.
const job = "seamark-canary"

// row is what is pushed and looked for.
type row struct {
	mark     uint64
	at       time.Time // in whole milliseconds
	instance string
}

func (w *row) text() string { return strconv.FormatUint(w.mark, 10) }

// compare wants the row once, as it was pushed.
func (w *row) compare(found []string) (Outcome, error) {
	if len(found) > 1 {
		return NotAlike, fmt.Errorf("the query finds it %d times: %q", len(found), found)
	}
	if found[0] != w.text() {
		return NotAlike, fmt.Errorf("the query finds %q instead of %q", found[0], w.text())
	}
	return Good, nil
}

// signal is a way in and the way back.
type signal struct {
	name            string
	pushPath, media string
	encode          func(w *row) ([]byte, error)
	query           func(w *row) string // path and parameters
	decode          func(body []byte) ([]string, error)
}

// signals are the ways that are tried: Loki's push and LogQL, remote write and PromQL, Kubernetes events and their list.
func signals() []*signal {
	return []*signal{
		{name: "logs", pushPath: "/loki/api/v1/push", media: "application/json", encode: encodeLine, query: queryLine, decode: decodeLines},
		{name: "samples", pushPath: "/api/v1/push", media: "application/x-protobuf", encode: encodeSample, query: querySample, decode: decodeSamples},
		{name: "events", pushPath: "/api/v1/push/events", media: "application/json", encode: encodeEvent, query: queryEvent, decode: decodeEvents},
	}
}

func encodeLine(w *row) ([]byte, error) {
	return json.Marshal(map[string]any{"streams": []any{map[string]any{
		"stream": map[string]string{"job": job, "instance": w.instance},
		"values": [][2]string{{strconv.FormatInt(w.at.UnixNano(), 10), w.text()}},
	}}})
}

func queryLine(w *row) string {
	return "/loki/api/v1/query_range?" + url.Values{
		"query": {fmt.Sprintf(`{job=%q,instance=%q} |= %q`, job, w.instance, w.text())}, "limit": {"10"},
		"start": {strconv.FormatInt(w.at.Add(-time.Second).UnixNano(), 10)}, "end": {strconv.FormatInt(w.at.Add(time.Second).UnixNano(), 10)},
	}.Encode()
}

func decodeLines(body []byte) ([]string, error) {
	var answer struct {
		Data struct {
			Result []struct{ Values [][]json.RawMessage }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	var found []string
	for _, stream := range answer.Data.Result {
		for _, v := range stream.Values {
			var line string
			if len(v) < 2 || json.Unmarshal(v[1], &line) != nil {
				return nil, fmt.Errorf("read the answer: %s is no entry of a stream", v)
			}
			found = append(found, line)
		}
	}
	return found, nil
}

// metric is one series for ever, whose value is the mark: a series per mark would grow the index.
const metric = "seamark_canary_mark"

func encodeSample(w *row) ([]byte, error) {
	body, err := (&prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
		Labels:  []prompb.Label{{Name: "__name__", Value: metric}, {Name: "instance", Value: w.instance}, {Name: "job", Value: job}},
		Samples: []prompb.Sample{{Timestamp: w.at.UnixMilli(), Value: float64(w.mark)}},
	}}}).Marshal()
	if err != nil {
		return nil, fmt.Errorf("marshal a remote write: %w", err)
	}
	return snappy.Encode(nil, body), nil
}

// querySample asks for the samples of the last millisecond, so that an older one does not answer for it.
func querySample(w *row) string {
	return "/prometheus/api/v1/query?" + url.Values{
		"query": {fmt.Sprintf(`%s{job=%q,instance=%q}[1ms]`, metric, job, w.instance)}, "time": {fmt.Sprintf("%.3f", float64(w.at.UnixMilli())/1000)},
	}.Encode()
}

func decodeSamples(body []byte) ([]string, error) {
	var answer struct {
		Data struct {
			Result []struct{ Values [][2]any }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	var found []string
	for _, series := range answer.Data.Result {
		for _, v := range series.Values {
			value, err := strconv.ParseFloat(fmt.Sprint(v[1]), 64)
			if err != nil {
				return nil, fmt.Errorf("read the answer: %v is no sample", v)
			}
			found = append(found, strconv.FormatFloat(value, 'f', -1, 64))
		}
	}
	return found, nil
}

// eventUID is the event's own uid, which is its key in the store.
func eventUID(w *row) string { return fmt.Sprintf("5ea3a4c0-0000-4000-8000-%012x", w.mark&(1<<48-1)) }

func encodeEvent(w *row) ([]byte, error) {
	at := w.at.UTC().Format(time.RFC3339)
	return json.Marshal(map[string]any{
		"kind": "Event", "apiVersion": "v1", "metadata": map[string]string{"uid": eventUID(w), "namespace": job, "name": job + "." + w.text()},
		"involvedObject": map[string]string{"kind": "Pod", "namespace": job, "name": w.instance},
		"type":           "Normal", "reason": "Canary", "message": w.text(), "count": 1, "source": map[string]string{"component": job},
		"firstTimestamp": at, "lastTimestamp": at,
	})
}

func queryEvent(w *row) string {
	return "/api/v1/events?" + url.Values{
		"namespace": {job}, "uid": {eventUID(w)}, "limit": {"10"},
		"start": {w.at.Add(-time.Minute).UTC().Format(time.RFC3339)}, "end": {w.at.Add(time.Minute).UTC().Format(time.RFC3339)},
	}.Encode()
}

func decodeEvents(body []byte) ([]string, error) {
	var answer struct{ Items []struct{ Message string } }
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	var found []string
	for _, item := range answer.Items {
		found = append(found, item.Message)
	}
	return found, nil
}
