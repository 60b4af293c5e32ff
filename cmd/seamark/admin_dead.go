package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/bus"
)

// adminDeadCmd looks after the messages that the writer set aside because the store refuses them.
type adminDeadCmd struct {
	List   deadListCmd   `cmd:"" help:"List what was set aside, oldest first."`
	Show   deadShowCmd   `cmd:"" help:"Show one dead letter whole."`
	Replay deadReplayCmd `cmd:"" help:"Put dead letters back into the queue, once what stopped them is mended."`
	Remove deadRemoveCmd `cmd:"" help:"Remove dead letters for good."`
}

// deadLetter is what is printed of one.
type deadLetter struct {
	Number   uint64    `json:"number"`
	Time     time.Time `json:"time"`
	Shard    string    `json:"shard"`
	Sequence uint64    `json:"sequence"`
	Segment  int       `json:"segment"`
	Tenant   string    `json:"tenant,omitempty"`
	Table    string    `json:"table,omitempty"`
	Rows     uint64    `json:"rows"`
	Bytes    int       `json:"bytes"`
	Reason   string    `json:"reason"`
	Data     string    `json:"data,omitempty"` // hexadecimal
}

func describeLetter(l *bus.DeadLetter) deadLetter {
	table, rows := app.DescribeFrame(l.Data)
	return deadLetter{
		Number: l.Number, Time: l.Time.UTC(), Shard: l.Shard.String(), Sequence: l.Sequence, Segment: l.Segment, Tenant: string(l.Tenant),
		Table: table, Rows: rows, Bytes: len(l.Data), Reason: l.Reason,
	}
}

// withDead runs fn on the dead-letter stream.
func (c *adminCmd) withDead(ctx context.Context, fn func(d *bus.DeadLetters) error) error {
	nc, js, err := c.connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	d, err := bus.OpenDeadLetters(ctx, js)
	if err != nil {
		return err
	}
	return fn(d)
}

type deadListCmd struct {
	From  uint64 `name:"from" default:"1" help:"First number to list."`
	Limit int    `name:"limit" default:"100" help:"How many to list."`
}

var errEnough = errors.New("enough")

// Run lists dead letters.
func (c *deadListCmd) Run(ctx context.Context, admin *adminCmd) error {
	letters, rows := []deadLetter{}, []string{}
	err := admin.withDead(ctx, func(d *bus.DeadLetters) error {
		return d.List(ctx, c.From, func(l bus.DeadLetter) error {
			if len(letters) >= c.Limit {
				return errEnough
			}
			one := describeLetter(&l)
			letters = append(letters, one)
			rows = append(rows, fmt.Sprintf("%d\t%s\t%s\t%s\t%s\t%d\t%d\t%.80s", one.Number, one.Time.Format(time.RFC3339), one.Shard, one.Tenant,
				one.Table, one.Rows, one.Bytes, one.Reason))
			return nil
		})
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return admin.print(letters, "NUMBER\tTIME\tSHARD\tTENANT\tTABLE\tROWS\tBYTES\tREASON", rows)
}

type deadShowCmd struct {
	Number uint64 `arg:"" help:"Number of the dead letter."`
}

// Run shows one dead letter.
func (c *deadShowCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withDead(ctx, func(d *bus.DeadLetters) error {
		l, err := d.Find(ctx, c.Number)
		if err != nil {
			return err
		}
		one := describeLetter(&l)
		if admin.JSON {
			one.Data = hex.EncodeToString(l.Data)
			return admin.print(one, "", nil)
		}
		_, err = fmt.Fprintf(os.Stdout, "number    %d\nset aside %s\nfrom      %s, sequence %d, segment %d\ntenant    %s\ntable     %s, %d rows\nreason    %s\n\n%s",
			one.Number, one.Time.Format(time.RFC3339), one.Shard, one.Sequence, one.Segment, one.Tenant, one.Table, one.Rows, one.Reason, hex.Dump(l.Data))
		return err
	})
}

type deadReplayCmd struct {
	Numbers []uint64 `arg:"" optional:"" help:"Numbers of the dead letters."`
	All     bool     `help:"Replay all that can be read."`
}

// Run replays dead letters.
func (c *deadReplayCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withDead(ctx, func(d *bus.DeadLetters) error {
		if c.All {
			if err := d.List(ctx, 1, func(l bus.DeadLetter) error {
				if l.Tenant != "" {
					c.Numbers = append(c.Numbers, l.Number)
				}
				return nil
			}); err != nil {
				return err
			}
		}
		for _, n := range c.Numbers {
			if err := d.Replay(ctx, n); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(os.Stdout, "%d put back into the queue\n", len(c.Numbers))
		return err
	})
}

type deadRemoveCmd struct {
	Numbers []uint64 `arg:"" help:"Numbers of the dead letters."`
}

// Run removes dead letters.
func (c *deadRemoveCmd) Run(ctx context.Context, admin *adminCmd) error {
	return admin.withDead(ctx, func(d *bus.DeadLetters) error {
		for _, n := range c.Numbers {
			if err := d.Remove(ctx, n); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(os.Stdout, "%d removed\n", len(c.Numbers))
		return err
	})
}
