package seal

import (
	"context"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// kvTimeout bounds one operation of the store. Without it a bucket on a full disk, which answers nothing, holds its
	// caller for ever.
	kvTimeout = 5 * time.Second
	// lookups and lookupPause are for a data key that another node made a moment ago: a follower may not know it yet.
	lookups     = 4
	lookupPause = 150 * time.Millisecond
	// grace is how long a data key is kept after another one took its place: far longer than a value that was sealed with
	// it can be on its way into the store.
	grace = 10 * time.Minute
	// maxRingBytes bounds the bucket; the document of maxKeys keys has about 16 KiB.
	maxRingBytes = 1 << 20
	attempts     = 20 // of a compare-and-set
)

// Options configures a Ring. JS and Root are required.
type Options struct {
	JS       jetstream.JetStream
	Replicas int // of the bucket; 1 unless told
	Root     RootSource
	// Forget is the id of a root key that is lost for good: what is sealed under it is removed, and a new ring is made. It does
	// nothing where that root key is at hand, or another one sealed.
	Forget string
	Now    func() time.Time // time.Now unless told
	Logger *slog.Logger     // discards unless told
}

func (o *Options) setDefaults() {
	o.Replicas = max(o.Replicas, 1)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

func (o *Options) validate() error {
	switch {
	case o.JS == nil:
		return errors.New("seal: Options.JS is required")
	case o.Replicas > 5:
		return fmt.Errorf("seal: Options.Replicas is %d, must be 1 to 5", o.Replicas)
	case o.Root.Create && o.Root.File == "":
		return errors.New("seal: Options.Root.Create needs a file to make")
	}
	return nil
}

// Ring seals and opens secrets. It is safe for concurrent use.
type Ring struct {
	kv   jetstream.KeyValue
	js   jetstream.JetStream
	root RootKey
	now  func() time.Time
	log  *slog.Logger

	mu   sync.RWMutex // guards keys
	keys map[string]cipher.AEAD
}

// Open reads the data keys, and makes the root file and the first data key where nothing was sealed yet. A root key that is
// missing or another than the one that sealed is an error that says what to do; then nothing is written.
func Open(ctx context.Context, o Options) (*Ring, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	r := &Ring{js: o.JS, now: o.Now, log: o.Logger}
	var err error
	if r.kv, err = openBucket(ctx, o.JS, o.Replicas); err != nil {
		return nil, err
	}
	doc, _, err := r.find(ctx)
	if err == nil && o.Forget != "" && o.Forget == doc.Root {
		if root, lost := o.Root.Load(); lost != nil || root.id != doc.Root {
			if err = r.forget(ctx, doc.Root); err == nil {
				err = jetstream.ErrKeyNotFound
			}
		}
	}
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		doc, err = r.create(ctx, o.Root)
	case err == nil:
		r.root, err = o.Root.Load()
		if errors.Is(err, errNoRoot) {
			err = fmt.Errorf("there is no root key, and the secrets in the store are sealed under root key %s. Put that key there, or in "+
				"SEAMARK_KEYS_ROOT; no other key is made in its place. Only if it is lost for good: start once with --keys.forget-sealed %[1]s, which "+
				"removes every receiver configuration", doc.Root)
		}
	}
	if err == nil {
		r.keys, err = doc.open(r.root)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Root.name(), err)
	}
	return r, nil
}

func openBucket(ctx context.Context, js jetstream.JetStream, replicas int) (jetstream.KeyValue, error) {
	kv, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: Bucket, Description: "Seamark: wrapped data keys", History: 1, MaxBytes: maxRingBytes, Storage: jetstream.FileStorage, Replicas: replicas,
	})
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", Bucket, err)
	}
	return kv, nil
}

// create makes the first ring. Where several processes start at once, one makes it and the others take it.
func (r *Ring) create(ctx context.Context, source RootSource) (ringDoc, error) {
	if sealed, err := r.count(ctx); err != nil {
		return ringDoc{}, err
	} else if sealed > 0 {
		return ringDoc{}, fmt.Errorf("the store has %d sealed values and no data keys: bucket %s was lost. Restore a backup; a new ring would make "+
			"them unreadable for ever", sealed, Bucket)
	}
	var err error
	r.root, err = source.Load()
	if errors.Is(err, errNoRoot) && source.Create {
		if err = createRootFile(source.File); err == nil {
			r.root, err = source.Load()
			r.log.InfoContext(ctx, "root key made; keep a copy of the file apart from backups, which cannot be restored without it", slog.String("file", source.File))
		}
	}
	if errors.Is(err, errNoRoot) {
		err = errors.New("there is no root key. Make one with `seamark keys generate`, keep it where all processes of this installation read it " +
			"(a Kubernetes secret), and name it with --keys.root-file or SEAMARK_KEYS_ROOT")
	}
	if err != nil {
		return ringDoc{}, err
	}
	key := newDataKey(r.root, r.now())
	doc := ringDoc{Version: ringVersion, Root: r.root.id, Current: key.ID, Keys: []dataKey{key}}
	body, err := json.Marshal(doc)
	if err != nil {
		return doc, err
	}
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	if _, err = r.kv.Create(ctx, RingKey, body); errors.Is(err, jetstream.ErrKeyExists) {
		doc, _, err = r.find(ctx)
	}
	if err != nil {
		return doc, fmt.Errorf("keep the data keys: %w", err)
	}
	return doc, nil
}

// find reads the ring and its revision.
func (r *Ring) find(ctx context.Context) (ringDoc, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	entry, err := r.kv.Get(ctx, RingKey)
	if err != nil {
		return ringDoc{}, 0, fmt.Errorf("read the data keys: %w", err)
	}
	doc, err := decodeRing(entry.Value())
	return doc, entry.Revision(), err
}

// Root returns the root key, for who checks a backup.
func (r *Ring) Root() RootKey { return r.root }

// JetStream returns the store that the ring stands in.
func (r *Ring) JetStream() jetstream.JetStream { return r.js }

// Seal returns the sealed form of plain for a place. It asks the store which key seals, so that a rotation counts on every
// node at once; secrets are written rarely. The error is of kind Unavailable when the store does not answer.
func (r *Ring) Seal(ctx context.Context, at Place, plain []byte) (string, error) {
	if err := at.check(); err != nil {
		return "", err
	}
	doc, _, err := r.find(ctx)
	if err != nil {
		return "", seamark.Wrap(err, seamark.Unavailable, "seamark-keys-unreachable",
			"The keys that secrets are sealed with cannot be read right now, so nothing was stored. Try again in some seconds.")
	}
	key, err := r.key(&doc, doc.Current)
	if err != nil {
		return "", err
	}
	e := envelope{key: doc.Current, tenant: at.tenant(), field: at.Field, body: key.Seal(nil, nil, plain, at.bound(doc.Current))}
	return e.String(), nil
}

// key returns a data key of doc, which becomes what this process knows when the key is new to it.
func (r *Ring) key(doc *ringDoc, id string) (cipher.AEAD, error) {
	if key := r.known(id); key != nil {
		return key, nil
	}
	keys, err := r.learn(doc)
	if err != nil {
		return nil, err
	}
	if keys[id] == nil {
		return nil, fmt.Errorf("there is no data key %.16q", id)
	}
	return keys[id], nil
}

// learn makes the keys of doc those that this process knows.
func (r *Ring) learn(doc *ringDoc) (map[string]cipher.AEAD, error) {
	keys, err := doc.open(r.root)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys = keys
	return keys, nil
}

func (r *Ring) known(id string) cipher.AEAD {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.keys[id]
}

// Unseal returns what was sealed at the same place. It fails for a value that was changed or moved, and for one whose data
// key is gone. It does no I/O but for a key that it meets for the first time.
func (r *Ring) Unseal(ctx context.Context, at Place, sealed string) ([]byte, error) {
	e, err := parseEnvelope(sealed)
	if err != nil {
		return nil, err
	}
	if e.tenant != at.tenant() || e.field != at.Field {
		return nil, fmt.Errorf("the value was sealed as %s of tenant %s and stands as %s of tenant %s", e.field, e.tenant, at.Field, at.tenant())
	}
	key := r.known(e.key)
	if key == nil {
		if key, err = r.lookUp(ctx, e.key); err != nil {
			return nil, err
		}
	}
	plain, err := key.Open(nil, nil, e.body, at.bound(e.key))
	if err != nil {
		return nil, errors.New("the value was changed after it was sealed, or sealed for another place")
	}
	return plain, nil
}

// lookUp reads a data key that this process does not know.
func (r *Ring) lookUp(ctx context.Context, id string) (cipher.AEAD, error) {
	for attempt := 1; ; attempt++ {
		doc, _, err := r.find(ctx)
		if err != nil {
			return nil, err
		}
		key, err := r.key(&doc, id)
		if err == nil || attempt == lookups {
			return key, err
		}
		timer := time.NewTimer(lookupPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}

// KeyInfo describes a data key.
type KeyInfo struct {
	ID         string    `json:"id"`
	Root       string    `json:"root"` // id of the root key that wraps it
	Created    time.Time `json:"created"`
	Superseded time.Time `json:"superseded,omitzero"` // zero for the current one
	Current    bool      `json:"current"`
	Values     int       `json:"values"` // that are sealed with it
}

// Rotate makes a new data key, with which everything is sealed from now on. Values stay readable; Reseal seals them anew.
func (r *Ring) Rotate(ctx context.Context) (id string, err error) {
	err = r.change(ctx, func(doc *ringDoc) error {
		if len(doc.Keys) == maxKeys {
			return fmt.Errorf("there are %d data keys already; old ones go %s after nothing uses them any more", maxKeys, grace)
		}
		now := r.now().UTC()
		key := newDataKey(r.root, now)
		keys := slices.Clone(doc.Keys)
		for i := range keys {
			if keys[i].ID == doc.Current {
				keys[i].Superseded = now
			}
		}
		keys = append(keys, key)
		doc.Keys, doc.Current, id = keys, key.ID, key.ID
		return nil
	})
	return id, err
}

// errUnchanged ends a change that has nothing to do.
var errUnchanged = errors.New("nothing to change")

// change rewrites the ring by compare-and-set.
func (r *Ring) change(ctx context.Context, fn func(*ringDoc) error) error {
	for range attempts {
		doc, revision, err := r.find(ctx)
		if err != nil {
			return err
		}
		if doc.Root != r.root.id {
			return &WrongRootError{Want: doc.Root, Have: r.root.id}
		}
		if err := fn(&doc); errors.Is(err, errUnchanged) {
			return nil
		} else if err != nil {
			return err
		}
		body, err := json.Marshal(doc)
		if err != nil {
			return err
		}
		if err = update(ctx, r.kv, RingKey, body, revision); err == nil || !errors.Is(err, errTaken) {
			return err
		}
	}
	return errors.New("others kept changing the data keys at the same time; nothing was changed, try again")
}
