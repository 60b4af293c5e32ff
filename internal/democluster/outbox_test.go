package democluster

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

// send returns a delivery that notes its number.
func send(sent *[]int, number, rows int) delivery {
	return delivery{lane: laneLoki, rows: rows, send: func(context.Context) error {
		*sent = append(*sent, number)
		return nil
	}}
}

func TestOutboxDropsTheOldest(t *testing.T) {
	var text bytes.Buffer
	o := newOutbox(laneLoki, slog.New(slog.NewTextHandler(&text, nil)))
	var sent []int
	for i := range 5 {
		o.add(send(&sent, i, maxQueuedRows/3))
	}
	require.Contains(t, text.String(), "level=WARN")
	require.Contains(t, text.String(), "logs by Loki push")
	ctx, cancel := context.WithCancel(t.Context())
	o.add(delivery{send: func(context.Context) error { cancel(); return nil }})
	require.ErrorIs(t, o.run(ctx), context.Canceled)
	require.Equal(t, []int{2, 3, 4}, sent)
	require.Zero(t, o.rows)
}

func TestOutboxGoesOnAfterARefusal(t *testing.T) {
	var text bytes.Buffer
	o := newOutbox(laneEvents, slog.New(slog.NewTextHandler(&text, nil)))
	var sent []int
	o.add(delivery{lane: laneEvents, rows: 3, send: func(context.Context) error { return errors.New("status 400: bad") }})
	o.add(send(&sent, 1, 1))
	ctx, cancel := context.WithCancel(t.Context())
	o.add(delivery{send: func(context.Context) error { cancel(); return nil }})
	require.ErrorIs(t, o.run(ctx), context.Canceled)
	require.Equal(t, []int{1}, sent)
	require.Contains(t, text.String(), "rows=3")
	require.Contains(t, text.String(), "status 400: bad")
}

// BenchmarkStep measures a live second: what happens in it and its encoding, without the network.
func BenchmarkStep(b *testing.B) {
	o := Options{URL: "http://127.0.0.1:1", Token: "t", Cluster: "demo", Seed: 1}
	c, err := New(o)
	require.NoError(b, err)
	w := newWorld(&c.opts, c.incidents, c.opts.Now().Truncate(tickEvery))
	w.advance(w.live)
	w.take()
	b.ReportAllocs()
	for b.Loop() {
		w.advance(w.at.Add(stepEvery))
		if _, err := c.push.deliveries(w.take(), oneByOne); err != nil {
			b.Fatal(err)
		}
	}
}
