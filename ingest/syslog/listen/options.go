package listen

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options configures a Server.
type Options struct {
	// Listener is closed when Serve returns. Its connections may be TLS (their handshake is done here, under a deadline) or
	// plain.
	Listener net.Listener
	// Verify proves whom a token belongs to. It is asked when a connection begins and again before every push, so a
	// revoked token ends a connection that lives for days. It must answer from memory.
	Verify func(ctx context.Context, token string) (seamark.Principal, error)
	// Catalog returns the catalogue of a principal's cluster.
	Catalog func(p seamark.Principal) seamark.Catalog
	// MaxAttrs bounds the attributes of a row of a principal's tenant and cluster. It is asked while rows are decoded, so that a
	// quota that is set holds for connections that live for days. It must answer from memory.
	MaxAttrs func(p seamark.Principal) int
	// Push stores a batch durably and returns after the acknowledgement. It is called again with the same id and batch
	// when its error may pass: of kind Unavailable, Timeout, Internal, RateLimited or Canceled.
	Push func(ctx context.Context, p seamark.Principal, signal seamark.Signal, id string, b *seamark.Batch) error
	// Dropped is told what was lost of a proven sender, for the drop ledger. nil tells nobody.
	Dropped func(p seamark.Principal, d seamark.Drop)

	// Token, when set, is whose every connection of this listener is that shows no token of its own. Whoever reaches such a listener writes as its tenant.
	Token string
	// CertificateToken returns the token of a client whose certificate the TLS handshake has verified, mostly by its
	// common name; false when it has none. nil asks no certificate. The listener's TLS configuration must verify
	// client certificates; one that was not verified is not shown here.
	CertificateToken func(leaf *x509.Certificate) (token string, ok bool)
	// AllowPlainTokens takes tokens that a sender shows over a connection without TLS, for listeners behind a proxy that
	// ends TLS and for trusted networks. Without it such a token is refused, because everybody on the way has read it.
	AllowPlainTokens bool

	// MaxConns bounds the connections; further ones are closed at once. Without it idle sockets take all descriptors.
	MaxConns int
	// MaxMemoryBytes bounds the buffers and rows of all connections. One that gets none waits, and is closed after
	// StallTimeout. Without it many connections, each within its own limit, take all memory.
	MaxMemoryBytes int64
	// BatchBytes, BatchRows and BatchAge say when gathered rows are pushed: at whichever comes first. The age is what an
	// idle sender's line waits; bytes and rows bound what one push and one connection hold.
	BatchBytes, BatchRows int
	BatchAge              time.Duration
	// ProofTimeout is how long a connection may take, with its TLS handshake, until its tenant is proven. Without it
	// connections that never say who they are take the places of those that do.
	ProofTimeout time.Duration
	// IdleTimeout closes a connection that sends nothing. Without it peers that vanished keep their places.
	IdleTimeout time.Duration
	// StallTimeout is how long a message may take to arrive once it has begun, and a second more for every 4 KiB of it.
	// Without it senders that trickle hold memory for as long as they like.
	StallTimeout time.Duration
	// DrainTimeout is how long Serve pushes what it holds after its context has ended; what is left then is dropped and
	// counted. Without it a store that is away would keep the process from ending.
	DrainTimeout time.Duration

	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

// DefaultOptions returns the options of one listener without its connections to the rest.
func DefaultOptions() Options {
	return Options{
		MaxAttrs: func(seamark.Principal) int { return seamark.DefaultLimits().MaxAttrs },
		MaxConns: 2048, MaxMemoryBytes: 64 << 20, BatchBytes: 1 << 20, BatchRows: 8192, BatchAge: 200 * time.Millisecond,
		ProofTimeout: 30 * time.Second, IdleTimeout: time.Hour, StallTimeout: 30 * time.Second, DrainTimeout: 15 * time.Second,
	}
}

// Validate tells the first option that cannot work, so that a listener fails at its start and not at its first connection.
func (o *Options) Validate() error {
	switch {
	case o.Listener == nil || o.Verify == nil || o.Catalog == nil || o.MaxAttrs == nil || o.Push == nil:
		return errors.New("listen: Listener, Verify, Catalog, MaxAttrs and Push are required")
	case o.Logger == nil || o.Registerer == nil || o.Now == nil:
		return errors.New("listen: Logger, Registerer and Now are required")
	case o.MaxConns < 1 || o.BatchRows < 1:
		return errors.New("listen: MaxConns and BatchRows must be positive")
	case o.BatchBytes < firstBuffer:
		return fmt.Errorf("listen: BatchBytes is %d; it must be at least %d, a connection's first buffer", o.BatchBytes, firstBuffer)
	case o.BatchAge <= 0 || o.ProofTimeout <= 0 || o.IdleTimeout <= 0 || o.StallTimeout <= 0 || o.DrainTimeout <= 0:
		return errors.New("listen: BatchAge, ProofTimeout, IdleTimeout, StallTimeout and DrainTimeout must be positive")
	}
	return nil
}

// Protocol is what a Server speaks.
type Protocol struct {
	// Name stands in metrics, logs and the drop ledger.
	Name string
	// MaxMessageBytes is the longest message that must stand in a connection's buffer in one piece.
	MaxMessageBytes int
	// Serve speaks the protocol on one connection until it ends, and returns why: io.EOF when the peer has hung up
	// between two messages, otherwise an *seamark.Error or what the Conn returned. Rows in the connection's batch are
	// pushed after it returns. It keeps nothing of the connection.
	Serve func(c *Conn) error
}
