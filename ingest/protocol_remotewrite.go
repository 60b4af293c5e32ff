package ingest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/ingest/remotewrite"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Headers of remote write 2.0: what was stored, on success and on failure alike (Remote-Write 2.0 specification,
// "Required Written Response Headers").
const (
	headerSamplesWritten    = "X-Prometheus-Remote-Write-Samples-Written"
	headerHistogramsWritten = "X-Prometheus-Remote-Write-Histograms-Written"
	headerExemplarsWritten  = "X-Prometheus-Remote-Write-Exemplars-Written"
	headerRemoteVersion     = "X-Prometheus-Remote-Write-Version"
	mediaProtobuf           = "application/x-protobuf"
)

// isRemoteWrite2 reports whether the body is a message of remote write 2.0; without a proto parameter it is 1.0.
func isRemoteWrite2(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Content-Type"), "io.prometheus.write.v2.Request")
}

// remoteWrite is Prometheus remote write, 1.0 and 2.0.
func (f *front) remoteWrite() *protocol {
	return &protocol{
		name: "remotewrite", signal: seamark.Metrics, dialect: httpx.Plain,
		prepare: prepareRemoteWrite,
		decode: func(r *request) (err error) {
			if !isRemoteWrite2(r.http.Request) {
				return f.remote.Decode(r.body, r.catalog, &r.batch)
			}
			r.written, err = f.remote.DecodeV2(r.body, r.catalog, &r.batch)
			return err
		},
		admit: f.admitReplica,
		answer: func(w http.ResponseWriter, r *request) error {
			if isRemoteWrite2(r.http.Request) {
				samples, histograms, exemplars := r.written.Counts(&r.batch)
				setWritten(w, samples, histograms, exemplars)
			}
			return answerPlain(w, r, http.StatusNoContent)
		},
	}
}

func prepareRemoteWrite(w http.ResponseWriter, r *request) error {
	r.encoding = contentEncoding(r.http.Request)
	if r.encoding == "" {
		r.encoding = "snappy"
	}
	if isRemoteWrite2(r.http.Request) {
		setWritten(w, 0, 0, 0) // until something is
	}
	contentType := r.http.Header.Get("Content-Type")
	if contentType != "" && mediaType(r.http.Request) != mediaProtobuf {
		return unsupportedMedia(contentType, mediaProtobuf)
	}
	if proto := mediaParam(r.http.Request, "proto"); proto != "" && proto != "prometheus.WriteRequest" && !isRemoteWrite2(r.http.Request) {
		return unsupportedMedia(contentType, "proto=io.prometheus.write.v2.Request or proto=prometheus.WriteRequest")
	}
	return nil
}

func setWritten(w http.ResponseWriter, samples, histograms, exemplars int) {
	w.Header().Set(headerSamplesWritten, strconv.Itoa(samples))
	w.Header().Set(headerHistogramsWritten, strconv.Itoa(histograms))
	w.Header().Set(headerExemplarsWritten, strconv.Itoa(exemplars))
}

// admitReplica keeps one of the Prometheus servers that scrape the same targets. What the others send is answered as if it
// were stored, because its twin is.
func (f *front) admitReplica(r *request) (bool, error) {
	if f.ingester.opts.Replicas == nil {
		return true, nil
	}
	cluster, replica := remotewrite.PeekReplica(r.body, isRemoteWrite2(r.http.Request))
	if cluster == "" || replica == "" {
		return true, nil
	}
	admitted, err := f.ingester.opts.Replicas.Admit(r.http.Context(), r.http.Tenant(), cluster, replica)
	if err == nil && !admitted {
		f.ingester.metrics.replicas.Add(float64(r.batch.Rows()))
	}
	return admitted, err
}

// oldPush is /api/prom/push, which Loki and Cortex both had in their day: remote write says what it is.
func (f *front) oldPush(r *httpx.Request) *protocol {
	if r.Header.Get(headerRemoteVersion) != "" || isRemoteWrite2(r.Request) {
		return f.oldRemote
	}
	return f.oldLoki
}
