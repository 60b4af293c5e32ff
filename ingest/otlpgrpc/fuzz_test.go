package otlpgrpc_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/seamarkhq/seamark/ingest/otlpgrpc"
)

// call makes a call without a connection.
func call(s *otlpgrpc.Server, path, encoding string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.ProtoMajor = 2
	r.Header.Set("Content-Type", "application/grpc")
	r.Header.Set("Grpc-Encoding", encoding)
	r.Header.Set("Authorization", "Bearer "+goodToken)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// FuzzCall sends anything as the body of a call: the answer is a status, and what was asked of memory stays in bounds.
func FuzzCall(f *testing.F) {
	encodings := []string{"", "identity", "gzip", "zstd", "snappy", "deflate", "br"}
	for i, encoding := range encodings {
		flag := byte(1)
		if i < 2 {
			flag = 0
		}
		f.Add(uint8(i), frame(flag, compress(f, encoding, logsBody(f, "a line", "another"))))
	}
	f.Add(uint8(2), []byte{0, 0, 0})
	back := new(backend)
	o := back.options(f)
	o.Limits.MaxBodyBytes, o.Limits.MaxInflatedBytes = 64<<10, 1<<20
	s := newServer(f, o)
	paths := s.Paths()
	f.Fuzz(func(t *testing.T, choice uint8, body []byte) {
		back.pushes, back.refused, back.claimed = nil, nil, 0
		w := call(s, paths[int(choice)/len(encodings)%len(paths)], encodings[int(choice)%len(encodings)], body)
		h := w.Header()
		code, err := strconv.Atoi(h.Get(http.TrailerPrefix + "Grpc-Status"))
		if err != nil || w.Code != http.StatusOK {
			t.Fatalf("status %d, grpc-status %q", w.Code, h.Get(http.TrailerPrefix+"Grpc-Status"))
		}
		switch code {
		case 0:
			if len(back.pushes) != 1 || w.Body.Len() < 5 {
				t.Fatalf("%d pushes, answer %x", len(back.pushes), w.Body.Bytes())
			}
		case 3, 12:
			if len(back.pushes) != 0 || w.Body.Len() != 0 || h.Get(http.TrailerPrefix+"Grpc-Message") == "" {
				t.Fatalf("code %d: %d pushes, answer %x", code, len(back.pushes), w.Body.Bytes())
			}
		default:
			t.Fatalf("code %d: %s", code, h.Get(http.TrailerPrefix+"Grpc-Message"))
		}
		if details := h.Get(http.TrailerPrefix + "Grpc-Status-Details-Bin"); details != "" {
			raw, err := base64.RawStdEncoding.DecodeString(details)
			if err != nil || proto.Unmarshal(raw, new(spb.Status)) != nil {
				t.Fatalf("details %q: %v", details, err)
			}
		}
	})
}
