package tenant_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// TestRefreshKnowsAllBefore revokes a token at one node after the other, whose watches may be behind, and wants each refresh to bring
// what was done before it.
func TestRefreshKnowsAllBefore(t *testing.T) {
	n := testkit.NATS(t)
	here, there := openDirectory(t, jetStream(t, n)), openDirectory(t, jetStream(t, n))
	owner := newTenant(t, here, "refreshed")
	cluster := newCluster(t, here, owner.ID, "c")
	for i := range 20 {
		made, secret, err := here.CreateToken(t.Context(), owner.ID, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: cluster.ID})
		if err != nil {
			t.Fatal(err)
		}
		if err := there.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := there.Authenticate(t.Context(), secret); err != nil {
			t.Fatalf("token %d after a refresh: %v", i, err)
		}
		if err := here.RevokeToken(t.Context(), owner.ID, made.KeyID); err != nil {
			t.Fatal(err)
		}
		if err := there.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := there.Authenticate(t.Context(), secret); seamark.KindOf(err) != seamark.Unauthenticated {
			t.Fatalf("token %d, revoked, after a refresh: %v", i, err)
		}
	}
}

// TestRefreshOfSilentWatch takes the consumers away behind the client's back, as a server does with those of a process that was
// stopped for minutes.
func TestRefreshOfSilentWatch(t *testing.T) {
	n := testkit.NATS(t)
	js := jetStream(t, n)
	d := openDirectory(t, js, func(o *tenant.Options) {
		o.BeatInterval, o.StallTimeout, o.LookInterval = time.Hour, time.Hour, time.Hour
	})
	for _, bucket := range []string{"tenants", "clusters", "tokens"} {
		stream, err := js.Stream(t.Context(), "KV_seamark_"+bucket)
		if err != nil {
			t.Fatal(err)
		}
		names := stream.ConsumerNames(t.Context())
		for name := range names.Name() {
			if err := stream.DeleteConsumer(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		if err := names.Err(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := d.Refresh(ctx); err != nil {
		t.Errorf("the watches were not made anew: %v", err)
	}
	if age := d.TokenAge(); age > patience {
		t.Errorf("after a refresh what is known is %s old", age)
	}
}

// TestRefreshWithoutStore wants an error that senders retry.
func TestRefreshWithoutStore(t *testing.T) {
	n := newFragileNATS(t)
	d := openDirectory(t, n.connect(t))
	n.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := d.Refresh(ctx); seamark.KindOf(err) != seamark.Unavailable {
		t.Errorf("got %v, want an error of kind Unavailable", err)
	}
}

// TestSettleWritesArrivals wants at another node what a node that ends without a word has seen.
func TestSettleWritesArrivals(t *testing.T) {
	n := testkit.NATS(t)
	never := func(o *tenant.Options) { o.ArrivalInterval, o.UseInterval = time.Hour, time.Hour }
	here, there := openDirectory(t, jetStream(t, n), never), openDirectory(t, jetStream(t, n))
	owner := newTenant(t, here, "settled")
	cluster := newCluster(t, here, owner.ID, "c")
	at := time.Now().Truncate(time.Microsecond)
	here.Arrived(owner.ID, cluster.ID, seamark.Logs, at)
	if err := here.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if got := there.ListArrivals(t.Context(), owner.ID)[cluster.ID][seamark.Logs]; !got.Equal(at) {
			return fmt.Errorf("the last arrival is %v, want %v", got, at)
		}
		return nil
	})
}
