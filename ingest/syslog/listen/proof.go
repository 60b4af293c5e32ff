package listen

import (
	"context"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// begin does the TLS handshake and proves the tenant where listener or certificate do.
func (c *Conn) begin() error {
	o := &c.server.opts
	t, isTLS := secured(c.conn)
	if isTLS {
		ctx, cancel := context.WithTimeout(c.work, o.ProofTimeout)
		defer cancel()
		if err := t.HandshakeContext(ctx); err != nil {
			return seamark.Wrap(err, seamark.Unauthenticated, "seamark-stream-tls",
				"The TLS handshake failed. Check that the sender speaks TLS 1.2 or later, trusts the server's certificate and shows one of its own if asked.")
		}
	}
	switch {
	case o.Token != "":
		err := c.prove(o.Token)
		c.assumed = err == nil
		return err
	case isTLS && o.CertificateToken != nil:
		// Only a chain that was verified says anything; what a client merely presents, anybody can make.
		if chains := t.ConnectionState().VerifiedChains; len(chains) > 0 && len(chains[0]) > 0 {
			if token, ok := o.CertificateToken(chains[0][0]); ok {
				return c.prove(token)
			}
		}
	}
	return nil
}

// Proven reports whether the connection's tenant is known.
func (c *Conn) Proven() bool { return c.catalog != nil }

// Prove makes the owner of a token that the sender has shown the connection's principal; the first one goes before the
// listener's own, as long as no row was taken. A connection has one cluster for its whole life: a second token is taken when it is the same cluster's, as after a rotation, and refused otherwise.
// Errors are those of Verify, and Unauthenticated seamark-stream-plaintext, Forbidden seamark-stream-scope and Conflict
// seamark-stream-token.
func (c *Conn) Prove(token string) error {
	if _, isTLS := secured(c.conn); !isTLS && !c.server.opts.AllowPlainTokens {
		return seamark.Errorf(seamark.Unauthenticated, "seamark-stream-plaintext",
			"A token came over a connection without TLS, where it can be read on the way. Replace the token and send it over TLS.")
	}
	if token == c.token && c.Proven() {
		return nil
	}
	if !c.Proven() || c.assumed {
		return c.prove(token)
	}
	p, err := c.verify(token)
	if err != nil {
		return err
	}
	if p.Tenant != c.principal.Tenant || p.Cluster != c.principal.Cluster {
		return seamark.Errorf(seamark.Conflict, "seamark-stream-token",
			"This connection belongs to another cluster's token already. Open a connection for each cluster.")
	}
	c.token, c.principal = strings.Clone(token), p
	return nil
}

// prove asks whose token it is.
func (c *Conn) prove(token string) error {
	p, err := c.verify(token)
	if err != nil {
		return err
	}
	c.token, c.principal, c.catalog = strings.Clone(token), p, c.server.opts.Catalog(p)
	return nil
}

func (c *Conn) verify(token string) (seamark.Principal, error) {
	ctx, cancel := context.WithTimeout(c.work, 5*time.Second)
	defer cancel()
	p, err := c.server.opts.Verify(ctx, token)
	if err != nil {
		return p, err
	}
	if p.Kind != seamark.IngestToken || !p.Signals.Has(seamark.Logs) {
		return p, seamark.Errorf(seamark.Forbidden, "seamark-stream-scope",
			"The token may not push logs. Use an ingest token whose scope includes logs.")
	}
	return p, p.Tenant.Validate()
}

// reverify asks again whose the connection is, because its token may have been revoked since.
func (c *Conn) reverify() error {
	p, err := c.verify(c.token)
	if err != nil {
		return err
	}
	if p.Tenant != c.principal.Tenant || p.Cluster != c.principal.Cluster {
		return seamark.Errorf(seamark.Forbidden, "seamark-stream-scope", "The token belongs to another cluster now. Connect again.")
	}
	return nil
}

// Catalog returns the catalogue of the proven principal's cluster; nil before Proven.
func (c *Conn) Catalog() seamark.Catalog { return c.catalog }

// Unproven is the error for a message whose sender is not known; how says how this protocol's senders show a token.
func (c *Conn) Unproven(how string) error {
	return seamark.Errorf(seamark.Unauthenticated, "seamark-stream-unproven",
		"A message came before its sender had shown a token. %s", how)
}
