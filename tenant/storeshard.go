package tenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// storesDoc says how many shards the store has, for who makes tenants without being told: the administrator's tools. There is none while
// the store has one.
type storesDoc struct {
	Version int `json:"v"`
	Shards  int `json:"shards"`
}

// storesKey is the key of the only document of its kind.
const storesKey = "shards"

func (s *storesDoc) validate(key string) error {
	if key != storesKey {
		return fmt.Errorf("store document %.40q is unknown", key)
	}
	return checkStoreShard(s.Shards)
}

// checkStoreShard refuses a number that no shard of any installation has.
func checkStoreShard(number int) error {
	if number < 1 || number > seamark.MaxStoreShards {
		return fmt.Errorf("store shard %d is not 1 to %d", number, seamark.MaxStoreShards)
	}
	return nil
}

// StoreShard returns the shard of the store that a tenant's data is on, also of a deleted tenant. It answers from memory. The error is
// of kind NotFound for a tenant that this node has not heard of.
func (d *Directory) StoreShard(id seamark.TenantID) (seamark.StoreShard, error) {
	t, _ := d.tenants.find(string(id))
	if t == nil {
		return 0, tenantUnknown()
	}
	return seamark.StoreShardOf(t.Shard), nil
}

// SetStoreShards notes how many shards the store has, for who is not told. Servers that make tenants call it at their start.
func (d *Directory) SetStoreShards(ctx context.Context, shards int) error {
	if err := checkStoreShard(shards); err != nil {
		return err
	}
	if d.knownStoreShards() == shards {
		return nil
	}
	_, err := d.stores.mutate(ctx, storesKey, func(s *storesDoc) error {
		s.Shards = shards
		return nil
	})
	if errors.Is(err, errAbsent) {
		if err = d.stores.create(ctx, storesKey, &storesDoc{Version: docVersion, Shards: shards}); errors.Is(err, errTaken) {
			return d.SetStoreShards(ctx, shards)
		}
	}
	if err != nil {
		return fmt.Errorf("note the shards of the store: %w", err)
	}
	return nil
}

// knownStoreShards returns what was noted last.
func (d *Directory) knownStoreShards() int {
	if doc, _ := d.stores.find(storesKey); doc != nil {
		return doc.Shards
	}
	return 1
}

// place returns the shard of a new tenant: the one that was asked for, or else the one with the fewest tenants, of several the first.
// Two nodes that place at once may both choose it. That is uneven and no more: a tenant's record, written once, says where it is.
func (d *Directory) place(asked *int) (int, error) {
	shards := d.opts.StoreShards
	if shards == 0 {
		shards = d.knownStoreShards()
	}
	if asked != nil {
		if *asked < 1 || *asked > shards {
			return 0, seamark.Errorf(seamark.Invalid, "seamark-tenant-shard",
				"Field shard is %d; this installation has %d ClickHouse shards, which are numbered from 1.", *asked, shards)
		}
		return *asked, nil
	}
	tenants := make([]int, shards)
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, r := range d.tenants.rows {
		if r.doc.State != Deleted && r.doc.Shard <= shards {
			tenants[r.doc.Shard-1]++
		}
	}
	fewest := 0
	for i, n := range tenants {
		if n < tenants[fewest] {
			fewest = i
		}
	}
	return fewest + 1, nil
}
