package tenant

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// refreshPrefix begins every refresh secret, so that a leaked one is recognised.
	refreshPrefix = "smr"
	// maxRefreshBytes bounds one before it is parsed.
	maxRefreshBytes = 256
	// refreshPause is within which a session does not get another generation: pages that refresh together share one, and a
	// client in a loop writes nothing.
	refreshPause = 5 * time.Second
	// refreshGrace is how long the secret before the newest is still answered, with the newest: the answer may have been lost,
	// or another page of the same browser was faster.
	refreshGrace = 15 * time.Second
)

// refreshText makes the refresh secret of one generation of a session: smr_<kid>_<sid>_<generation>_<mac>. It is derived from
// the signing key, so the store needs neither it nor its hash, and the same one can be answered twice.
func refreshText(key *keyDoc, sid string, generation uint64) (string, error) {
	mac, err := refreshMAC(key, sid, generation)
	if err != nil {
		return "", err
	}
	return strings.Join([]string{refreshPrefix, key.KID, sid, strconv.FormatUint(generation, 10), hex.EncodeToString(mac)}, "_"), nil
}

func refreshMAC(key *keyDoc, sid string, generation uint64) ([]byte, error) {
	secret, err := hkdf.Key(sha256.New, key.private.Seed(), nil, "seamark session refresh", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive the refresh key: %w", err)
	}
	h := hmac.New(sha256.New, secret)
	_, _ = fmt.Fprintf(h, "%s %d", sid, generation) // a hash takes every byte
	return h.Sum(nil), nil
}

// parseRefresh proves that we made a refresh secret, and of what.
func (d *Directory) parseRefresh(text string) (sid string, generation uint64, err error) {
	parts := strings.Split(text, "_")
	if len(text) > maxRefreshBytes || len(parts) != 5 || parts[0] != refreshPrefix {
		return "", 0, sessionOver()
	}
	generation, err = strconv.ParseUint(parts[3], 10, 63)
	key, _ := d.keys.find(parts[1])
	if err != nil || key == nil {
		return "", 0, sessionOver()
	}
	if key.private == nil {
		return "", 0, unreachable(errors.New("no private session key in the directory"))
	}
	want, err := refreshText(key, parts[2], generation)
	if err != nil {
		return "", 0, err
	}
	if !hmac.Equal([]byte(text), []byte(want)) {
		return "", 0, sessionOver()
	}
	return parts[2], generation, nil
}

// What turn answers where it changes nothing.
var (
	errSameGeneration = errors.New("the newest generation is answered again")
	errNotSeenYet     = errors.New("the generation is newer than what this node knows")
)

// RefreshSession answers a refresh secret with a token for the session's next minutes and the next secret; the one it was
// given is spent. One that was spent before ends the session: somebody else has it. The error is of kind Unauthenticated when
// the session is over, with the id seamark-session-reused in that case, and as of VerifySession else.
func (d *Directory) RefreshSession(ctx context.Context, text string, on Device) (SessionToken, error) {
	sid, generation, err := d.parseRefresh(text)
	if err != nil {
		return SessionToken{}, err
	}
	key, err := d.signingKey(ctx)
	if err != nil {
		return SessionToken{}, err
	}
	session, err := d.turn(ctx, sid, generation, key, on.cut())
	if errors.Is(err, errNotSeenYet) {
		if err = d.sessions.refresh(ctx, sid); err == nil {
			session, err = d.turn(ctx, sid, generation, key, on.cut())
		}
	}
	switch {
	case errors.Is(err, errAbsent), errors.Is(err, errNotSeenYet):
		return SessionToken{}, sessionOver()
	case err != nil:
		return SessionToken{}, err
	case session.Reused:
		return SessionToken{}, seamark.Errorf(seamark.Unauthenticated, "seamark-session-reused",
			"A refresh secret came twice, so two parties have it: the session was ended. Sign in again; change the password if you did not do that yourself.")
	}
	return d.grant(key, session)
}

// turn gives a session its next generation and returns it as it is then. A decision that rests on an old copy loses the
// compare-and-set and is made anew.
func (d *Directory) turn(ctx context.Context, sid string, generation uint64, key *keyDoc, on Device) (*sessionDoc, error) {
	var seen sessionDoc
	written, err := d.sessions.mutate(ctx, sid, func(s *sessionDoc) error {
		seen = *s
		now := d.now().UTC()
		if err := d.checkStanding(s, now); err != nil {
			return err
		}
		since := now.Sub(s.Used)
		switch {
		case generation > s.Generation:
			return errNotSeenYet
		case generation == s.Generation && since < refreshPause && s.Generation > 1, generation+1 == s.Generation && since < refreshGrace:
			return errSameGeneration
		case generation < s.Generation:
			s.Ended, s.Reused = now, true
			return nil
		}
		s.Generation++
		s.Key, s.Used, s.Idle = key.KID, now, now.Add(d.opts.IdleLifetime).Truncate(time.Second)
		s.ClientIP, s.Agent = on.ClientIP, on.Agent
		return nil
	})
	if errors.Is(err, errSameGeneration) {
		return &seen, nil
	}
	if err != nil {
		return nil, err
	}
	return written, nil
}

// checkStanding returns why a session is no good any more, as VerifySession would.
func (d *Directory) checkStanding(s *sessionDoc, now time.Time) error {
	d.mu.RLock()
	user, owner := d.users.aliasLocked(string(s.User)), d.tenants.findLocked(string(s.Tenant))
	d.mu.RUnlock()
	if known := age(now, d.sessionBeat.Load()); known > d.opts.WriterStaleness {
		return stale(known)
	}
	_, err := sessionPrincipal(s, user, owner, now)
	return err
}
