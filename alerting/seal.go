package alerting

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// sealedConfig is how a configuration stands in the store: whole, because addresses, headers and templates may all be
// secrets.
type sealedConfig struct {
	Sealed string `json:"sealed"`
}

func configPlace(tenant seamark.TenantID) seal.Place {
	return seal.Place{Bucket: configBucket, Key: key(tenant, configKey), Tenant: tenant, Field: "config"}
}

// sealConfig returns the stored form of an encoded configSource.
func (s *Service) sealConfig(ctx context.Context, tenant seamark.TenantID, plain []byte) ([]byte, error) {
	sealed, err := s.opts.Keys.Seal(ctx, configPlace(tenant), plain)
	if err != nil {
		return nil, err
	}
	return json.Marshal(sealedConfig{Sealed: sealed})
}

// openConfig is the inverse of sealConfig. It also takes what was stored before there was sealing.
func (s *Service) openConfig(tenant seamark.TenantID, body []byte) ([]byte, error) {
	var stored sealedConfig
	if err := json.Unmarshal(body, &stored); err != nil {
		return nil, err
	}
	if stored.Sealed == "" {
		return body, nil
	}
	return s.opts.Keys.Unseal(context.Background(), configPlace(tenant), stored.Sealed)
}

// sealPlainConfigs seals the configurations that were stored before there was sealing. A document that somebody else writes
// meanwhile is sealed by that.
func (s *Service) sealPlainConfigs(ctx context.Context, kv jetstream.KeyValue) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watcher, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("read Alertmanager configurations: %w", err)
	}
	defer func() { _ = watcher.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry, ok := <-watcher.Updates():
			if !ok {
				return fmt.Errorf("read Alertmanager configurations: %w", errWatchEnded)
			}
			if entry == nil {
				return nil
			}
			if err := s.sealPlain(ctx, kv, entry); err != nil {
				return err
			}
		}
	}
}

func (s *Service) sealPlain(ctx context.Context, kv jetstream.KeyValue, entry jetstream.KeyValueEntry) error {
	id, rest, _ := strings.Cut(entry.Key(), ".")
	tenant, err := seamark.ParseTenantID(id)
	var stored sealedConfig
	if err != nil || rest != configKey || json.Unmarshal(entry.Value(), &stored) != nil || stored.Sealed != "" {
		return nil // sealed, or poison that the watch reports
	}
	body, err := s.sealConfig(ctx, tenant, entry.Value())
	if err != nil {
		return err
	}
	_, err = kv.Update(ctx, entry.Key(), body, entry.Revision())
	if err != nil && !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return fmt.Errorf("seal the configuration of tenant %s: %w", tenant, err)
	}
	return nil
}
