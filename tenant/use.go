package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// useNote is how often a node notes the use of one credential in its memory.
	useNote = 5 * time.Second
	// maxAgent bounds what is kept of a User-Agent, which the sender chooses.
	maxAgent = 120
)

// Use is when, from where and by what a credential was last used.
type Use struct {
	At       time.Time `json:"at,omitzero"` // zero: not known
	ClientIP string    `json:"ip,omitempty"`
	Agent    string    `json:"agent,omitempty"`
}

// useDoc is stored under the key id, beside the arrivals: it authorises nothing.
type useDoc struct {
	Version int `json:"v"`
	Use
}

func (u *useDoc) validate(key string) error {
	if len(key) != keyIDLength || !isBase62(key) || u.At.IsZero() {
		return errors.New("a use has no time or stands under what is no key id")
	}
	return nil
}

// useMark is the last use that this node saw.
type useMark struct {
	noted atomic.Int64 // Unix nanoseconds

	mu   sync.Mutex
	last Use
}

// useBook is what was used at this node since the last write.
type useBook struct {
	mu    sync.RWMutex
	marks map[string]*useMark
}

// Used notes that a credential was used. The edge calls it for every request, so it costs a look-up; the note reaches KV
// within Options.UseInterval, and no credential is written more often than that by one node.
func (d *Directory) Used(keyID, clientIP, agent string) {
	if len(keyID) != keyIDLength { // a session, whose record is its sign-in
		return
	}
	d.uses.mu.RLock()
	mark := d.uses.marks[keyID]
	d.uses.mu.RUnlock()
	now := d.now()
	if mark == nil {
		mark = d.uses.add(keyID)
	}
	noted := mark.noted.Load()
	if now.UnixNano()-noted < int64(useNote) || !mark.noted.CompareAndSwap(noted, now.UnixNano()) {
		return
	}
	mark.mu.Lock()
	defer mark.mu.Unlock()
	mark.last = Use{At: now.UTC(), ClientIP: clientIP, Agent: cleanAgent(agent)}
}

func (b *useBook) add(keyID string) *useMark {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.marks == nil {
		b.marks = map[string]*useMark{}
	}
	mark := b.marks[keyID]
	if mark == nil {
		mark = &useMark{}
		b.marks[keyID] = mark
	}
	return mark
}

// cleanAgent keeps what can be shown of a User-Agent.
func cleanAgent(agent string) string {
	agent = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return -1
		}
		return r
	}, agent[:min(len(agent), maxAgent)])
	return strings.TrimSpace(agent)
}

// lastUse returns the later of what this node saw and what KV holds.
func (d *Directory) lastUse(keyID string) Use {
	var last Use
	if stored, _ := d.used.find(keyID); stored != nil {
		last = stored.Use
	}
	d.uses.mu.RLock()
	mark := d.uses.marks[keyID]
	d.uses.mu.RUnlock()
	if mark == nil {
		return last
	}
	mark.mu.Lock()
	defer mark.mu.Unlock()
	if mark.last.At.After(last.At) {
		last = mark.last
	}
	return last
}

// useLoop writes the uses now and then until ctx ends.
func (d *Directory) useLoop(ctx context.Context) {
	for pause(ctx, d.opts.UseInterval) == nil {
		if err := d.flushUses(ctx); err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "last uses were not written, they will be with the next round", slog.Any("error", err))
		}
	}
}

// flushUses writes what KV does not know yet, and forgets what it knows.
func (d *Directory) flushUses(ctx context.Context) error {
	d.uses.mu.RLock()
	marks := maps.Clone(d.uses.marks)
	d.uses.mu.RUnlock()
	for keyID, mark := range marks {
		mark.mu.Lock()
		last := mark.last
		mark.mu.Unlock()
		stored, _ := d.used.find(keyID)
		if token, _ := d.tokens.find(keyID); token == nil || stored != nil && !last.At.After(stored.At) {
			d.uses.forget(keyID, mark)
			continue
		}
		value, err := json.Marshal(useDoc{Version: docVersion, Use: last})
		if err != nil {
			return fmt.Errorf("encode use: %w", err)
		}
		if _, err := d.used.bucket.put(ctx, "use."+keyID, value); err != nil {
			return fmt.Errorf("write use: %w", err)
		}
	}
	return nil
}

// forget drops a mark that has nothing new. A use that is noted in it at this moment is lost, and the next one counts.
func (b *useBook) forget(keyID string, mark *useMark) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.marks[keyID] == mark {
		delete(b.marks, keyID)
	}
}

// sweepUses drops the last uses of credentials that are gone.
func (d *Directory) sweepUses(ctx context.Context) error {
	for _, keyID := range d.used.keys() {
		if token, _ := d.tokens.find(keyID); token != nil {
			continue
		}
		if err := d.used.remove(ctx, keyID); err != nil {
			return fmt.Errorf("remove last use: %w", err)
		}
	}
	return nil
}
