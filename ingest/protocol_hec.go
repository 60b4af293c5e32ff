package ingest

import (
	"net/http"

	"github.com/seamarkhq/seamark/ingest/hec"
	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const headerChannel = "X-Splunk-Request-Channel"

// hecRoutes are Splunk's HTTP Event Collector.
func (f *front) hecRoutes(t *routeTable) {
	ask := &protocol{name: "hec", dialect: httpx.Splunk, foreign: true}
	if f.ingester.opts.HECQueryToken {
		ask.queryToken = "token"
	}
	const base = "/services/collector"
	t.post(f.hecPush(ask, f.hec.DecodeEvents), base, base+"/event", base+"/event/1.0")
	t.post(f.hecPush(ask, f.hec.DecodeRaw), base+"/raw", base+"/raw/1.0")
	t.reply(ask, http.MethodPost, answerAcks, base+"/ack", base+"/ack/1.0")
	// Balancers ask without a token.
	health := t.route(ask, http.MethodGet, httpx.Anonymous, f.hecHealth)
	t.handle(health, base+"/health", base+"/health/1.0")
	// Docker's driver asks with OPTIONS whether there is a collector.
	there := t.route(ask, http.MethodOptions, httpx.Anonymous, func(w http.ResponseWriter, _ *httpx.Request) error {
		w.Header().Set("Allow", "POST, OPTIONS")
		w.WriteHeader(http.StatusOK)
		return nil
	})
	t.handle(there, base+"/event", base+"/event/1.0")
}

type hecDecode func(body []byte, cat seamark.Catalog, b *seamark.Batch, o hec.Options) (hec.Outcome, error)

func (f *front) hecPush(ask *protocol, decode hecDecode) *protocol {
	return &protocol{
		name: ask.name, dialect: ask.dialect, foreign: true, queryToken: ask.queryToken, untimed: true,
		prepare: func(_ http.ResponseWriter, r *request) error {
			r.encoding = contentEncoding(r.http.Request) // any Content-Type, as Splunk does
			return nil
		},
		decode: func(r *request) (err error) {
			q := r.http.URL.Query()
			r.hec, err = decode(r.body, r.catalog, &r.batch, hec.Options{
				Now: r.now, MaxAttrs: f.maxAttrs(r), Event: r.takesEvents(), Default: hec.Metadata{
					Time: q.Get("time"), Host: q.Get("host"), Source: q.Get("source"), Sourcetype: q.Get("sourcetype"), Index: q.Get("index"),
				},
			})
			if fault, ok := record.Refused(err); ok && r.hec.Reply != hec.Success {
				r.batch.Rejected.Add(seamark.Logs, 1, fault.ID, fault.Message) // the answer tells the number of the event
				return nil
			}
			return err
		},
		answer: func(w http.ResponseWriter, r *request) error {
			ack := int64(hec.NoAck)
			if r.http.Header.Get(headerChannel) != "" || r.http.URL.Query().Get("channel") != "" {
				ack = f.acks.Next()
			}
			status, body := hec.Answer(nil, r.hec, &r.batch, ack)
			return answerJSON(w, status, body)
		},
	}
}

// answerAcks says of every id that its events are stored: they were before the id was given out.
func answerAcks(w http.ResponseWriter, r *httpx.Request) error {
	if r.Header.Get(headerChannel) == "" && r.URL.Query().Get("channel") == "" {
		return answerJSON(w, hec.ChannelMissing.Status(), hec.ChannelMissing.Append(nil))
	}
	question, err := readReply(w, r)
	if err != nil {
		return err
	}
	body, err := hec.AppendAcks(nil, question)
	if err != nil {
		return err
	}
	return answerJSON(w, http.StatusOK, body)
}

func (f *front) hecHealth(w http.ResponseWriter, _ *httpx.Request) error {
	reply := hec.Healthy
	if f.ingester.checkDisk() != nil {
		reply = hec.Unhealthy
	}
	return answerJSON(w, reply.Status(), reply.Append(nil))
}
