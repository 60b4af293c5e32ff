package ingest

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/seamarkhq/seamark/ingest/events"
	"github.com/seamarkhq/seamark/ingest/lokipush"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func unsupportedMedia(got, take string) error {
	return seamark.Errorf(seamark.Unsupported, "seamark-media-unsupported", "The Content-Type %.64q is not supported; send %s.", got, take)
}

// lokiPush is Loki's push API: snappy protobuf unless the Content-Type says JSON.
func (f *front) lokiPush() *protocol {
	return &protocol{
		name: "loki", signal: seamark.Logs, dialect: httpx.Plain, untimed: true,
		prepare: func(_ http.ResponseWriter, r *request) error {
			r.media, r.encoding = mediaType(r.http.Request), contentEncoding(r.http.Request)
			switch r.media {
			case "application/json":
			case "", "application/x-protobuf":
				if r.encoding == "" {
					r.encoding = "snappy"
				}
			default:
				return unsupportedMedia(r.http.Header.Get("Content-Type"), "application/x-protobuf or application/json")
			}
			return nil
		},
		decode: func(r *request) error {
			o := lokipush.Options{Now: r.now, MaxAttrs: f.maxAttrs(r)}
			decode := f.loki.DecodeProto
			if r.media == "application/json" {
				decode = f.loki.DecodeJSON
			}
			if err := decode(r.body, r.catalog, &r.batch, o); err != nil {
				return err
			}
			r.liftEvents()
			return nil
		},
		answer: func(w http.ResponseWriter, r *request) error { return answerPlain(w, r, http.StatusNoContent) },
	}
}

// answerPlain answers status, or 400 with what was refused when something was: its neighbours are stored all the same.
func answerPlain(w http.ResponseWriter, r *request, status int) error {
	if r.batch.Rejected.Rows() == 0 {
		w.WriteHeader(status)
		return nil
	}
	return seamark.Errorf(seamark.Invalid, "seamark-rows-refused", "%s", refusalText(&r.batch))
}

// refusalText says how many rows were refused and why, with the first offender of each reason.
func refusalText(b *seamark.Batch) string {
	var t strings.Builder
	if b.Rows() == 0 {
		fmt.Fprintf(&t, "No row was stored; %d were refused.", b.Rejected.Rows())
	} else {
		fmt.Fprintf(&t, "%d of %d rows were refused; the others are stored.", b.Rejected.Rows(), b.Rejected.Rows()+b.Rows())
	}
	for _, reason := range b.Rejected.Reasons {
		fmt.Fprintf(&t, " %s x%d: %s", reason.Reason, reason.Count, reason.Detail)
	}
	return t.String()
}

func (f *front) otlpLogs() *protocol {
	return &protocol{
		name: "otlp", signal: seamark.Logs, dialect: httpx.OTLP, refusal: http.StatusOK, prepare: prepareOTLP,
		decode: func(r *request) error { return f.otlp.DecodeLogs(f.otlpRequest(r), &r.batch) },
		answer: func(w http.ResponseWriter, r *request) error {
			return answerOTLP(w, r, otlp.AppendLogsResponse(nil, r.otlp, &r.batch.Rejected))
		},
	}
}

func (f *front) otlpMetrics() *protocol {
	return &protocol{
		name: "otlp", signal: seamark.Metrics, dialect: httpx.OTLP, refusal: http.StatusOK, prepare: prepareOTLP,
		decode: func(r *request) error { return f.otlp.DecodeMetrics(f.otlpRequest(r), &r.batch) },
		answer: func(w http.ResponseWriter, r *request) error {
			return answerOTLP(w, r, otlp.AppendMetricsResponse(nil, r.otlp, &r.batch.Rejected))
		},
	}
}

func (f *front) otlpTraces() *protocol {
	return &protocol{
		name: "otlp", signal: seamark.Traces, dialect: httpx.OTLP, refusal: http.StatusOK, prepare: prepareOTLP,
		decode: func(r *request) error { return f.otlp.DecodeTraces(f.otlpRequest(r), &r.batch) },
		answer: func(w http.ResponseWriter, r *request) error {
			return answerOTLP(w, r, otlp.AppendTracesResponse(nil, r.otlp, &r.batch.Rejected))
		},
	}
}

func (f *front) otlpRequest(r *request) *otlp.Request {
	return &otlp.Request{
		Body: r.body, Encoding: r.otlp, Catalog: r.catalog, Cluster: r.http.Principal.ClusterName, Now: r.now,
		Limits: otlp.Limits{MaxAttrs: f.maxAttrs(r)},
	}
}

func prepareOTLP(_ http.ResponseWriter, r *request) (err error) {
	r.encoding = contentEncoding(r.http.Request)
	r.otlp, err = otlp.ParseEncoding(r.http.Header.Get("Content-Type"))
	return err
}

func answerOTLP(w http.ResponseWriter, r *request, body []byte) error {
	w.Header().Set("Content-Type", r.otlp.ContentType())
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(body)
	return err
}

// kubernetesEvents takes core/v1 and events.k8s.io/v1 events, one, a list or an array, as kubernetes-event-exporter's
// webhook sends them.
func (f *front) kubernetesEvents() *protocol {
	return f.eventProtocol("events", func(r *request) error {
		return events.DecodeObjects(r.body, r.now, &r.batch)
	})
}

// kubeEventer takes kube-eventer's webhook sink, for which exactly 200 counts.
func (f *front) kubeEventer() *protocol {
	return f.eventProtocol("kube-eventer", func(r *request) error {
		return events.DecodeEventer(r.body, r.now, &r.batch)
	})
}

// checkJSONMedia takes the media types under which agents send JSON, one value or lines of them.
func checkJSONMedia(r *http.Request) error {
	switch media := mediaType(r); media {
	case "", "application/json", "application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines", "text/plain":
		return nil
	default:
		return unsupportedMedia(media, "application/json or application/x-ndjson")
	}
}

func (f *front) eventProtocol(name string, decode func(r *request) error) *protocol {
	return &protocol{
		name: name, signal: seamark.Events, dialect: httpx.Plain,
		prepare: func(_ http.ResponseWriter, r *request) error {
			r.encoding = contentEncoding(r.http.Request)
			return checkJSONMedia(r.http.Request)
		},
		decode: decode,
		answer: func(w http.ResponseWriter, r *request) error { return answerPlain(w, r, http.StatusOK) },
	}
}
