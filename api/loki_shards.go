package api

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/internal/httpx"
)

// lokiShards is Loki's answer to how a query may be cut. Statistics are of how it was found out, and chunk groups of Loki's own
// index; there are none here.
type lokiShards struct {
	Shards      []lokiShard `json:"shards"`
	Statistics  struct{}    `json:"statistics"`
	ChunkGroups []struct{}  `json:"chunkGroups"`
}

type lokiShard struct {
	Bounds lokiBounds `json:"bounds"`
	Stats  lokiStats  `json:"stats"`
}

// lokiBounds are the first and the last fingerprint.
type lokiBounds struct {
	Min uint64 `json:"min"`
	Max uint64 `json:"max"`
}

// shards answers into which shards of about targetBytesPerShard the streams of a query may be cut.
func (h lokiHandlers) shards(w http.ResponseWriter, r *httpx.Request) error {
	p, span, err := h.listing(r)
	if err != nil {
		return err
	}
	if _, err := p.required("query"); err != nil {
		return err
	}
	target, err := p.bytes("targetBytesPerShard")
	if err != nil {
		return err
	}
	found, err := h.Explorer.LogShards(r.Context(), r.Scope(), p.selector(), span, target)
	if err != nil {
		return err
	}
	answer := lokiShards{Shards: make([]lokiShard, len(found))}
	for i, s := range found {
		answer.Shards[i] = lokiShard{Bounds: lokiBounds{s.First, s.Last}, Stats: lokiStatsOf(s.Stats)}
	}
	return httpx.WriteJSON(w, http.StatusOK, answer)
}

// bytes reads a size that must be sent: a number of bytes, or with a unit, of which each is 1024 times the one before.
func (p *lokiParams) bytes(name string) (uint64, error) {
	text, err := p.required(name)
	if err != nil {
		return 0, err
	}
	digits := strings.TrimRight(text, "BKMGTbkmgt")
	n, err := strconv.ParseUint(digits, 10, 64)
	power := slices.Index([]string{"", "K", "M", "G", "T"}, strings.TrimSuffix(strings.ToUpper(text[len(digits):]), "B"))
	if err != nil || n == 0 || power < 0 || n > math.MaxUint64>>(10*power) {
		return 0, p.invalid(name, "a number of bytes above 0, such as 600MB")
	}
	return n << (10 * power), nil
}
