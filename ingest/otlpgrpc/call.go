package otlpgrpc

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/http"

	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// call is one call on its way; its memory is kept between calls.
type call struct {
	server    *Server
	method    *method
	http      *http.Request
	principal seamark.Principal
	memory    memory
	encoding  string // of the message
	raw       []byte // the message as sent
	body      []byte // and inflated
	batch     seamark.Batch
	answer    []byte
}

// memory is the call's share of the memory of all calls.
type memory struct {
	next seamark.Claimer
	rows int64
}

// Claim implements seamark.Claimer for the rows of the batch.
func (m *memory) Claim(bytes int64) error {
	m.rows += bytes
	return m.next.Claim(bytes)
}

// maxKeptBytes is what a pooled call keeps of its buffers; more is left to the collector.
const maxKeptBytes = 1 << 20

// dropLarge lets go of what is too large to keep. It comes before the claim is released.
func (c *call) dropLarge() {
	if c.memory.rows > maxKeptBytes {
		c.batch = seamark.Batch{}
	}
	if cap(c.raw) > maxKeptBytes || cap(c.body) > maxKeptBytes {
		c.raw, c.body, c.batch = nil, nil, seamark.Batch{} // the batch refers to them
	}
}

// run reads the message, decodes it and stores its rows.
func (c *call) run(w http.ResponseWriter) error {
	o := &c.server.opts
	if err := c.readMessage(newPacedBody(w, c.http, o)); err != nil {
		return err
	}
	message, err := c.inflate()
	if err != nil {
		return err
	}
	if o.Received != nil {
		o.Received(c.method.signal, len(c.raw), len(message))
	}
	c.batch.Claim = &c.memory
	err = c.method.decode(&otlp.Request{
		Body: message, Catalog: o.Catalog(c.principal), Cluster: c.principal.ClusterName, Now: o.Now(),
		Limits: otlp.Limits{MaxAttrs: o.MaxAttrs(c.principal)},
	}, &c.batch)
	if err != nil {
		return err
	}
	c.batch.Source.BodyBytes, c.batch.Source.WireBytes = len(message), len(c.raw)
	// The push outlives a sender that hangs up: its data is here, and taking it spares the retry.
	return o.Push(context.WithoutCancel(c.http.Context()), c.principal, c.method.signal, c.id(), &c.batch)
}

// id identifies the call by its content, so that a sender's retry is recognised whatever it changes around it.
func (c *call) id() string {
	h := sha256.New()
	for _, part := range []string{string(c.principal.Tenant), string(c.principal.Cluster), c.http.URL.Path, c.encoding} {
		_, _ = io.WriteString(h, part)
		_, _ = h.Write([]byte{0})
	}
	_, _ = h.Write(c.raw)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// reply answers a call whose good rows are stored.
func (c *call) reply(w http.ResponseWriter) {
	c.answer = append(c.answer[:0], 0, 0, 0, 0, 0)
	c.answer = c.method.answer(c.answer, otlp.Protobuf, &c.batch.Rejected)
	binary.BigEndian.PutUint32(c.answer[1:], uint32(len(c.answer)-frameHeader))
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(c.answer) // a sender that is gone sends again, and its data is recognised
}
