package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/seal"
	"github.com/seamarkhq/seamark/tenant"
)

// keyFlags say where the root key is.
type keyFlags struct {
	KeysRootFile string `name:"keys.root-file" help:"File with the root key that secrets in the store are sealed under. When not set it is root.key in the data folder, made at the first start; with --nats.url there is no default, because all processes need the same key." type:"path"`
	KeysRoot     string `name:"keys.root" help:"The root key itself, instead of a file. Set it in the environment alone: a command line stands in the process list."`
}

func (f *keyFlags) options() app.KeysOptions {
	return app.KeysOptions{RootFile: f.KeysRootFile, Root: f.KeysRoot}
}

// AfterApply refuses a root key on the command line, which every user of the machine can read.
func (f *keyFlags) AfterApply() error {
	for _, arg := range os.Args[1:] {
		if arg == "--keys.root" || strings.HasPrefix(arg, "--keys.root=") {
			return errors.New("--keys.root: a command line stands in the process list; set SEAMARK_KEYS_ROOT, or use --keys.root-file")
		}
	}
	return nil
}

// storeFlags say which server's store a command works on: over the socket in its data folder, or over --nats.url.
type storeFlags struct {
	DataDir       string `name:"data-dir" default:"${data_dir}" help:"Data folder of the server on this machine."`
	NATSURL       string `name:"nats.url" help:"NATS servers of a cluster, instead of the data folder."`
	NATSCredsFile string `name:"nats.creds-file" help:"NATS credentials file." type:"path"`
	NATSReplicas  int    `name:"nats.replicas" default:"1" help:"Replicas of buckets, as the server has them."`
	JSON          bool   `name:"json" help:"Print JSON."`
}

func (f *storeFlags) admin() *adminCmd {
	return &adminCmd{DataDir: f.DataDir, NATSURL: f.NATSURL, NATSCredsFile: f.NATSCredsFile, NATSReplicas: f.NATSReplicas, JSON: f.JSON}
}

// with runs fn on the store.
func (f *storeFlags) with(fn func(js jetstream.JetStream) error) error {
	nc, js, err := f.admin().connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	return fn(js)
}

// keysCmd looks after the keys of a running server's store.
type keysCmd struct {
	Generate keysGenerateCmd `cmd:"" help:"Print a new root key. It touches no server."`
	List     keysListCmd     `cmd:"" help:"List the data keys and how many secrets each seals."`
	Rewrap   keysRewrapCmd   `cmd:"" help:"Change the root key: wrap all data keys under another one. Running servers go on; each needs the new root key at its next start."`
	Rotate   keysRotateCmd   `cmd:"" help:"Make a new data key and seal every secret anew with it, while all nodes go on."`

	RotateSession keysRotateSessionCmd `cmd:"" help:"Make a new key that signs the tokens of signed-in people, while all nodes go on. Nobody is signed out."`
}

type keysGenerateCmd struct{}

// Run prints a root key.
func (keysGenerateCmd) Run() error {
	_, err := fmt.Println(seal.GenerateRoot())
	return err
}

// ringFlags open the ring of a store.
type ringFlags struct {
	storeFlags
	keyFlags
}

// withRing runs fn on the keys. It never makes a root key: that is the server's, at its first start.
func (f *ringFlags) withRing(ctx context.Context, fn func(r *seal.Ring) error) error {
	return f.with(func(js jetstream.JetStream) error {
		ring, err := f.open(ctx, js)
		if err != nil {
			return err
		}
		return fn(ring)
	})
}

func (f *ringFlags) open(ctx context.Context, js jetstream.JetStream) (*seal.Ring, error) {
	o := f.keyFlags.options()
	source := o.Source(f.DataDir, f.NATSURL)
	source.Create = false
	return seal.Open(ctx, seal.Options{JS: js, Replicas: f.NATSReplicas, Root: source})
}

type keysListCmd struct{ ringFlags }

// Run lists data keys.
func (c *keysListCmd) Run(ctx context.Context) error {
	return c.withRing(ctx, func(r *seal.Ring) error {
		list, err := r.Keys(ctx)
		if err != nil {
			return err
		}
		rows := make([]string, len(list))
		for i, k := range list {
			state := "seals"
			if !k.Current {
				state = "superseded " + k.Superseded.UTC().Format(time.RFC3339)
			}
			rows[i] = fmt.Sprintf("%s\t%s\t%s\t%d\t%s", k.ID, k.Created.UTC().Format(time.RFC3339), state, k.Values, k.Root)
		}
		return c.admin().print(list, "KEY\tCREATED\tSTATE\tSECRETS\tROOT KEY", rows)
	})
}

type keysRewrapCmd struct {
	ringFlags
	NewRootFile string `name:"new-root-file" required:"" placeholder:"FILE" help:"File with the new root key, as 'seamark keys generate' prints one." type:"path"`
}

// Run changes the root key.
func (c *keysRewrapCmd) Run(ctx context.Context) error {
	source := seal.RootSource{File: c.NewRootFile}
	next, err := source.Load()
	if err != nil {
		return fmt.Errorf("--new-root-file %s: %w", c.NewRootFile, err)
	}
	return c.withRing(ctx, func(r *seal.Ring) error {
		if err := r.Rewrap(ctx, next); err != nil {
			return err
		}
		_, err := fmt.Printf("The data keys are wrapped under root key %s. Put it where the servers read theirs (it was %s) before any of them starts again; "+
			"keep the old one for backups that were made before.\n", next.ID(), r.Root().ID())
		return err
	})
}

type keysRotateCmd struct{ ringFlags }

// rotation is what a rotation printed.
type rotation struct {
	Key string `json:"key"`
	seal.Report
}

// Run rotates the data key.
func (c *keysRotateCmd) Run(ctx context.Context) error {
	return c.withRing(ctx, func(r *seal.Ring) error {
		id, err := r.Rotate(ctx)
		if err != nil {
			return err
		}
		report, err := r.Reseal(ctx)
		if err != nil {
			return fmt.Errorf("the data key %s seals from now on, but not every secret was sealed anew; servers go on with that within minutes: %w", id, err)
		}
		row := fmt.Sprintf("%s\t%d of %d\t%d\t%s", id, report.Resealed, report.Values, len(report.Broken), strings.Join(report.Retired, " "))
		return c.admin().print(rotation{id, report}, "KEY\tSEALED ANEW\tBROKEN\tKEYS RETIRED", []string{row})
	})
}

type keysRotateSessionCmd struct{ ringFlags }

// Run rotates the key that signs sessions' tokens.
func (c *keysRotateSessionCmd) Run(ctx context.Context) error {
	return c.with(func(js jetstream.JetStream) error {
		ring, err := c.open(ctx, js)
		if err != nil {
			return err
		}
		d, err := tenant.Open(ctx, tenant.Options{
			JS: js, Replicas: c.NATSReplicas, Keys: ring,
			SessionLifetime: tenant.MaxSessionLifetime, // keys are forgotten by the servers, who know how long sessions last
		})
		if err != nil {
			return err
		}
		defer func() {
			closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			_ = d.Close(closing)
		}()
		if err := d.RotateSessionKey(ctx); err != nil {
			return err
		}
		_, err = fmt.Println("A new key signs from now on; tokens of the one before are good until their sessions are over.")
		return err
	})
}
