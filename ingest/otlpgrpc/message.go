package otlpgrpc

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/klauspost/compress/snappy"

	"github.com/seamarkhq/seamark/ingest/inflate"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// frameHeader is the size of what stands before a message: whether it is compressed, and its length.
const frameHeader = 5

// acceptEncoding lists the encodings that senders may use, in the form of the header that tells them.
const acceptEncoding = "identity,gzip,zstd,snappy,deflate"

// readMessage fills c.raw with the call's one message as it was sent, and c.encoding with how it is compressed.
func (c *call) readMessage(body *pacedBody) error {
	encoding, err := encodingOf(c.http)
	if err != nil {
		return err
	}
	var header [frameHeader]byte
	if _, err := io.ReadFull(body, header[:]); err != nil {
		return body.fault(err, 0)
	}
	switch {
	case header[0] > 1:
		return seamark.Errorf(seamark.Invalid, "seamark-grpc-frame", "The message's compressed flag is %d; it must be 0 or 1.", header[0])
	case header[0] == 1 && encoding == "identity":
		return seamark.Errorf(seamark.Invalid, "seamark-grpc-frame", "The message is marked as compressed, but grpc-encoding does not say how.")
	case header[0] == 1:
		c.encoding = encoding
	default:
		c.encoding = "identity"
	}
	size := int64(binary.BigEndian.Uint32(header[1:]))
	if limit := c.server.opts.Limits.MaxBodyBytes; size > limit {
		return seamark.Errorf(seamark.TooLarge, "seamark-body-large",
			"The message has %d bytes; the limit is %d (--ingest.max-body-bytes). Lower the exporter's batch size.", size, limit)
	}
	if err := c.fillRaw(body, int(size)); err != nil {
		return err
	}
	switch n, err := body.Read(header[:1]); {
	case n > 0:
		return seamark.Errorf(seamark.Invalid, "seamark-grpc-frame", "The call has more than one message; Export takes one.")
	case err != nil && !errors.Is(err, io.EOF):
		return body.fault(err, len(c.raw))
	}
	return nil
}

// encodingOf returns how compressed messages of the call are compressed.
func encodingOf(r *http.Request) (string, error) {
	switch encoding := r.Header.Get("Grpc-Encoding"); encoding {
	case "":
		return "identity", nil
	case "identity", "gzip", "zstd", "snappy", "deflate":
		return encoding, nil
	default:
		return "", seamark.Errorf(seamark.Unsupported, "seamark-body-encoding",
			"grpc-encoding %.64q is not supported; send one of %s.", encoding, acceptEncoding)
	}
}

// fillRaw reads size bytes, asking for memory as they come: a sender that announces much and sends little takes little.
func (c *call) fillRaw(body *pacedBody, size int) error {
	const first = 64 << 10
	if err := c.memory.next.Claim(int64(cap(c.raw))); err != nil {
		return err
	}
	c.raw = c.raw[:0]
	for len(c.raw) < size {
		if len(c.raw) == cap(c.raw) {
			grown := min(max(first, 2*cap(c.raw)), size)
			if err := c.memory.next.Claim(int64(grown)); err != nil {
				return err
			}
			c.raw = append(make([]byte, 0, grown), c.raw...)
		}
		n, err := body.Read(c.raw[len(c.raw):min(cap(c.raw), size)])
		c.raw = c.raw[:len(c.raw)+n]
		if err != nil && len(c.raw) < size {
			return body.fault(err, len(c.raw))
		}
	}
	return nil
}

// inflate returns the message, in c.raw where it was sent as it is, else in c.body.
func (c *call) inflate() ([]byte, error) {
	limit := c.server.opts.Limits.MaxInflatedBytes
	if c.encoding == "identity" && int64(len(c.raw)) <= limit {
		return c.raw, nil
	}
	if err := c.memory.next.Claim(int64(cap(c.body))); err != nil {
		return nil, err
	}
	if c.encoding == "snappy" {
		err := c.inflateSnappy(limit)
		return c.body, err
	}
	var err error
	c.body, err = c.server.opts.Inflater.Inflate(c.http.Context(), c.body[:0], inflate.Request{
		Body: c.raw, Encoding: c.encoding, Limit: limit, Grow: c.memory.next.Claim,
	})
	return c.body, err
}

// inflateSnappy reads snappy's framed format. gRPC means it by snappy, where HTTP means the block format.
func (c *call) inflateSnappy(limit int64) error {
	const first = 64 << 10
	source := &bytesReader{rest: c.raw}
	reader := snappy.NewReader(source)
	c.body = c.body[:0]
	for {
		if len(c.body) == cap(c.body) {
			grown := min(max(first, 2*int64(cap(c.body))), limit+1)
			if err := c.memory.next.Claim(grown); err != nil {
				return err
			}
			c.body = append(make([]byte, 0, grown), c.body...)
		}
		n, err := reader.Read(c.body[len(c.body):cap(c.body)])
		c.body = c.body[:len(c.body)+n]
		switch {
		case int64(len(c.body)) > limit:
			return seamark.Errorf(seamark.TooLarge, "seamark-body-inflated",
				"The snappy message of %d bytes inflates to more than the limit of %d bytes. Lower the exporter's batch size.", len(c.raw), limit)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return seamark.Wrap(err, seamark.Invalid, "seamark-body-compression",
				"The message is not snappy's framed format, which grpc-encoding snappy stands for; byte %d of %d was reached.",
				len(c.raw)-len(source.rest), len(c.raw))
		}
	}
}

// bytesReader reads a slice and can say how far it came.
type bytesReader struct{ rest []byte }

// Read implements io.Reader.
func (r *bytesReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// pacedBody is a call's body that fails with os.ErrDeadlineExceeded when its sender is too slow.
type pacedBody struct {
	ctx      context.Context // the call's; it ends when the sender hangs up
	body     io.Reader
	conn     *http.ResponseController
	deadline time.Time
	rate     int64
}

// newPacedBody returns a call's body. The connection's clock is the machine's, whatever clock the rest has.
func newPacedBody(w http.ResponseWriter, r *http.Request, o *Options) *pacedBody {
	return &pacedBody{
		ctx: r.Context(), body: r.Body, conn: http.NewResponseController(w), deadline: time.Now().Add(o.BodyPatience), rate: o.MinBodyRate,
	}
}

// Read implements io.Reader.
func (b *pacedBody) Read(p []byte) (int, error) {
	_ = b.conn.SetReadDeadline(b.deadline) // a response that is no connection's, as in tests, has none
	n, err := b.body.Read(p)
	b.deadline = b.deadline.Add(time.Duration(n) * time.Second / time.Duration(b.rate))
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		// The message is here, or will never be. Without this the call would count as lost while it is being worked on, and the
		// timer of a stream that was reset would hold the stream until it fires.
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}

// fault is the error of a message that ended or stalled after so many bytes.
func (b *pacedBody) fault(err error, after int) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return seamark.Wrap(err, seamark.Timeout, "seamark-body-slow",
			"The message came too slowly: %d of its bytes have arrived. Send at least %d bytes a second.", after, b.rate)
	case b.ctx.Err() != nil:
		return seamark.Wrap(err, seamark.Canceled, "seamark-request-canceled", "The sender gave up after %d bytes of its message.", after)
	case errors.Is(err, io.EOF) && after == 0:
		return seamark.Wrap(err, seamark.Invalid, "seamark-grpc-frame", "The call has no message; Export takes one.")
	}
	return seamark.Wrap(err, seamark.Invalid, "seamark-body-short", "The message ended after %d bytes, before it was complete.", after)
}
