package bus

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Overview is where all shards stand, for those who look after the installation.
type Overview struct {
	Shards []ShardState
	// DeadLetters counts the messages that were set aside.
	DeadLetters uint64
}

// ShardState is where one shard's stream stands.
type ShardState struct {
	Shard Shard
	State
	MaxBytes int64
}

// Overlook lists the streams of all shards that there are, whatever this process's options say.
func Overlook(ctx context.Context, js jetstream.JetStream) (Overview, error) {
	var o Overview
	list := js.ListStreams(ctx)
	for info := range list.Info() {
		if info.Config.Name == deadStream {
			o.DeadLetters = info.State.Msgs
			continue
		}
		if shard, ok := shardOfStream(info.Config.Name); ok {
			s := State{Created: info.Created, First: info.State.FirstSeq, Last: info.State.LastSeq, Bytes: info.State.Bytes}
			o.Shards = append(o.Shards, ShardState{Shard: shard, State: s, MaxBytes: info.Config.MaxBytes})
		}
	}
	if err := list.Err(); err != nil {
		return Overview{}, fmt.Errorf("list streams: %w", err)
	}
	return o, nil
}

// shardOfStream undoes Shard.stream.
func shardOfStream(name string) (Shard, bool) {
	rest, ours := strings.CutPrefix(name, "SEAMARK_")
	signal, number, both := strings.Cut(rest, "_")
	if !ours || !both {
		return Shard{}, false
	}
	s, err := seamark.ParseSignal(strings.ToLower(signal))
	if err != nil {
		return Shard{}, false
	}
	shard, err := parsePart(s, number)
	return shard, err == nil
}

// HolderOf returns who holds the lease with the given key, or held it last if it ended without handing it over; "" is nobody.
func HolderOf(ctx context.Context, leases *LeaseDocs, key string) (string, error) {
	doc, _, err := leases.Find(ctx, key)
	return doc.Owner, err
}
