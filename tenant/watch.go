package tenant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// beatKey is written every second by whoever is connected and has not just seen one. A watch that delivers it has
// delivered every change before it: its age is the age of what the node knows.
const beatKey = "beat"

// maxFaults bounds the remembered poison keys. Without it a bucket full of garbage fills every node's memory.
const maxFaults = 1000

// Fault is a stored value that this node refused; it goes on with the last good one.
type Fault struct {
	Bucket, Key string
	Reason      string
	Since       time.Time
}

// shelf is a table without its type, as the watch sees it.
type shelf interface {
	apply(key string, value []byte, revision uint64) error
	drop(key string, revision uint64)
	retain(seen map[string]bool, revision uint64)
	forgetRevisions()
	dump() (map[string]json.RawMessage, error)
}

// watchTiming groups the intervals of a watch; see Options.
type watchTiming struct {
	beat, look, stall, reconnectJitter, maxBackoff time.Duration
}

// watch keeps the shelves of one bucket current.
type watch struct {
	bucket  *bucket
	shelves map[string]shelf // by noun
	beats   bool             // whether the bucket's freshness counts; arrivals authorise nothing
	now     func() time.Time
	log     *slog.Logger
	timing  watchTiming

	restart  chan struct{} // asks follow to end, so that a new watcher is made
	replayed chan struct{} // closed after the first complete replay
	synced   chan struct{} // closed when, after that, a beat proved the replay to be current
	openedAt int64         // Unix nanoseconds by our clock when the directory was opened
	beatAt   atomic.Int64  // Unix nanoseconds by our clock: everything older has been applied, as a beat proves
	heardAt  atomic.Int64  // real Unix nanoseconds when the last beat came in
	progress progress      // how far the watch is, and when it was last known to be as far as its bucket
	beaten   func()        // called after beatAt moved

	mu     sync.Mutex
	faults map[string]Fault
}

// beatDoc is the value of beatKey.
type beatDoc struct {
	Version int       `json:"v"`
	At      time.Time `json:"at"`
}

// run follows the bucket until ctx ends. Watchers are made anew with growing, jittered pauses: a fleet that comes back at
// the same moment must not ask the server for all its state at once.
func (w *watch) run(ctx context.Context) {
	backoff := 100 * time.Millisecond
	for {
		started := time.Now()
		err := w.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(started) > w.timing.maxBackoff {
			backoff = 100 * time.Millisecond
		}
		pauseFor := rand.N(backoff)
		if errors.Is(err, errRestart) {
			pauseFor = rand.N(w.timing.reconnectJitter + 1)
		} else {
			w.log.WarnContext(ctx, "directory watch ended, it will be made anew",
				slog.String("bucket", w.bucket.name), slog.Any("error", err))
			backoff = min(2*backoff, w.timing.maxBackoff)
		}
		if w.rest(ctx, pauseFor) != nil {
			return
		}
	}
}

// rest waits for d before the next watcher. A request for one cuts it short: the store answers again, and a node that has
// tried in vain for minutes would be behind for half a minute more.
func (w *watch) rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	case <-w.restart:
		return pause(ctx, min(d, rand.N(w.timing.reconnectJitter+1)))
	}
}

// errRestart ends follow on request, not by a failure.
var errRestart = errors.New("restart requested")

// follow opens the bucket and applies its changes until the watcher ends.
func (w *watch) follow(ctx context.Context) error {
	select { // a request from before this watcher was made is satisfied by making it
	case <-w.restart:
	default:
	}
	state, err := w.bucket.open(ctx)
	if err != nil {
		return err
	}
	if w.progress.follow(state.created) {
		for _, s := range w.shelves {
			s.forgetRevisions()
		}
	}
	updates, stop, err := w.bucket.watch(ctx)
	if err != nil {
		return err
	}
	defer stop()
	w.heardAt.Store(time.Now().UnixNano())
	seen := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.restart:
			return errRestart
		case entry, ok := <-updates:
			switch {
			case !ok:
				return errors.New("the client closed the watcher")
			case entry == nil:
				w.endReplay(seen, state.lastSeq)
				seen = nil
			default:
				if seen != nil {
					seen[entry.Key()] = true
				}
				w.applySafely(ctx, entry)
				if seen == nil { // what a replay brings is not all up to there
					w.progress.reach(entry.Revision())
				}
			}
		}
	}
}

// endReplay is reached when the bucket's state at the time of the watch has been applied.
func (w *watch) endReplay(seen map[string]bool, lastSeq uint64) {
	for _, s := range w.shelves {
		s.retain(seen, lastSeq)
	}
	w.progress.reach(lastSeq)
	if !isClosed(w.replayed) {
		close(w.replayed)
	}
	w.checkSynced()
}

// checkSynced closes synced once it is true. Only follow's goroutine calls it.
func (w *watch) checkSynced() {
	current := !w.beats || w.beatAt.Load() >= w.openedAt
	if current && isClosed(w.replayed) && !isClosed(w.synced) {
		close(w.synced)
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// applySafely applies one entry. Whatever the value holds, the node goes on: a control plane that reaches every node in
// milliseconds could otherwise stop every node in milliseconds.
func (w *watch) applySafely(ctx context.Context, entry jetstream.KeyValueEntry) {
	defer func() {
		if r := recover(); r != nil {
			w.addFault(ctx, entry.Key(), fmt.Sprintf("panic: %v", r))
		}
	}()
	if err := w.apply(entry); err != nil {
		w.addFault(ctx, entry.Key(), err.Error())
		return
	}
	w.clearFault(entry.Key())
}

func (w *watch) apply(entry jetstream.KeyValueEntry) error {
	deleted := entry.Operation() != jetstream.KeyValuePut
	if entry.Key() == beatKey {
		if deleted {
			return nil
		}
		return w.hearBeat(entry.Value())
	}
	noun, key := splitKey(entry.Key())
	s, ok := w.shelves[noun]
	switch {
	case deleted && ok:
		s.drop(key, entry.Revision())
		return nil
	case deleted:
		return nil
	case !ok:
		return fmt.Errorf("unknown noun %.40q", noun)
	}
	return s.apply(key, entry.Value(), entry.Revision())
}

// hearBeat notes that everything before the beat has been applied. A writer whose clock runs ahead of ours must not make
// us look fresher than we are, hence the earlier of both clocks.
func (w *watch) hearBeat(value []byte) error {
	var beat beatDoc
	if err := json.Unmarshal(value, &beat); err != nil {
		return fmt.Errorf("beat is not a JSON document: %w", err)
	}
	if beat.Version != docVersion || beat.At.IsZero() {
		return errors.New("beat has no time or an unknown version")
	}
	w.heardAt.Store(time.Now().UnixNano())
	w.setBeat(min(beat.At.UnixNano(), w.now().UnixNano()))
	w.checkSynced()
	return nil
}

// setBeat moves the beat forward, never back.
func (w *watch) setBeat(at int64) {
	w.progress.see(at)
	if advance(&w.beatAt, at) {
		w.beaten()
	}
}

// advance moves a time forward, never back, and reports whether it moved.
func advance(to *atomic.Int64, at int64) bool {
	for {
		have := to.Load()
		if at <= have {
			return false
		}
		if to.CompareAndSwap(have, at) {
			return true
		}
	}
}

// beatLoop writes the beat where nobody else just did, and restarts a watch that stays silent although the bucket takes
// writes: such a watch hangs, or follows a bucket that was made anew.
func (w *watch) beatLoop(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-w.replayed:
	}
	away := false
	for first := true; ; first = false { // the first one completes Open
		if first || w.beatDue() {
			before := w.heardAt.Load()
			_, err := w.writeBeat(ctx)
			if err == nil && (w.stalled() || away && !w.hears(ctx, before)) {
				w.requestRestart()
			}
			away = err != nil
		}
		if pause(ctx, w.untilBeat(away)) != nil {
			return
		}
	}
}

// hears reports whether a beat comes in soon after the store took a write again. A watch that was cut off with its store may
// be dead for its server, and the client alone needs two missed heartbeats to notice.
func (w *watch) hears(ctx context.Context, before int64) bool {
	for range 10 {
		if w.heardAt.Load() != before || pause(ctx, w.timing.beat/80) != nil {
			return true
		}
	}
	return false
}

// beatDue reports whether the newest beat is about an interval old. The slack lets one of several nodes keep the duty
// instead of all of them writing in turn.
func (w *watch) beatDue() bool {
	return w.now().UnixNano()-w.beatAt.Load() >= int64(w.timing.beat)*8/10
}

// untilBeat is how long until a beat may be due, a little different on each node and each time. Looking once an interval would
// let a beat that was just not due get nearly two intervals old.
func (w *watch) untilBeat(away bool) time.Duration {
	const part = 10
	if away {
		return w.timing.beat / 4
	}
	due := w.timing.beat*8/10 + rand.N(w.timing.beat/part+1)
	return min(w.timing.beat, max(w.timing.beat/part, due-time.Duration(w.now().UnixNano()-w.beatAt.Load())))
}

func (w *watch) writeBeat(ctx context.Context) (revision uint64, err error) {
	value, err := json.Marshal(beatDoc{Version: docVersion, At: w.now().UTC()})
	if err != nil {
		return 0, err
	}
	return w.bucket.put(ctx, beatKey, value)
}

func (w *watch) stalled() bool {
	return time.Now().UnixNano()-w.heardAt.Load() > int64(w.timing.stall)
}

func (w *watch) requestRestart() {
	select {
	case w.restart <- struct{}{}:
	default: // one is waiting already
	}
}

func (w *watch) addFault(ctx context.Context, key, reason string) {
	w.mu.Lock()
	old, known := w.faults[key]
	report := old.Reason != reason && (known || len(w.faults) < maxFaults)
	if report {
		f := Fault{Bucket: w.bucket.name, Key: key, Reason: reason, Since: w.now()}
		if known {
			f.Since = old.Since
		}
		w.faults[key] = f
	}
	w.mu.Unlock()
	if report {
		w.log.ErrorContext(ctx, "directory value refused, the last good one stays",
			slog.String("bucket", w.bucket.name), slog.String("key", key), slog.String("reason", reason))
	}
}

func (w *watch) clearFault(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.faults, key)
}

func (w *watch) listFaults() []Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]Fault, 0, len(w.faults))
	for _, f := range w.faults {
		list = append(list, f)
	}
	return list
}
