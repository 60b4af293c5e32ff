package tenant

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

// Nodes tell each other of tries over plain NATS messages: nothing is stored, and a message that is lost costs one try more on
// one node. Only tries that a node let through are told, at most as many as it can hash, so a flood of sign-ins makes no
// flood of messages. Names travel as digests: people type passwords into the field of the login.
const (
	triesSubject = "seamark.signin.tries"
	nodeLength   = 8
	keyLength    = 16
	tryLength    = 1 + nodeLength + keyLength
)

// tryKey is the digest of what tries are counted under.
type tryKey [keyLength]byte

func newTryKey(name string) tryKey {
	sum := sha256.Sum256([]byte(name))
	return tryKey(sum[:keyLength])
}

// tryEvent is the first byte of a message.
type tryEvent byte

const (
	accountTried    tryEvent = 'a'
	addressTried    tryEvent = 'i'
	accountForgiven tryEvent = 'A'
	addressForgiven tryEvent = 'I'
)

func (l *signInLimits) draw() { _, _ = rand.Read(l.node[:]) } // it never fails

// tell sends an event to the other nodes. Without a connection they count by themselves.
func (l *signInLimits) tell(event tryEvent, key tryKey) {
	message := make([]byte, 0, tryLength)
	message = append(message, byte(event))
	message = append(message, l.node[:]...)
	_ = l.conn.Publish(triesSubject, append(message, key[:]...))
}

// listen counts what other nodes tell until ctx ends.
func (l *signInLimits) listen(ctx context.Context, now func() time.Time, log *slog.Logger) {
	sub, err := l.conn.Subscribe(triesSubject, func(m *nats.Msg) { l.hear(m.Data, now()) })
	if err != nil {
		log.WarnContext(ctx, "sign-in tries of other nodes are not counted here", slog.Any("error", err))
		return
	}
	<-ctx.Done()
	_ = sub.Unsubscribe() // fails only on a connection that is closed
}

// hear takes one message. What is malformed or our own changes nothing.
func (l *signInLimits) hear(message []byte, now time.Time) {
	if len(message) != tryLength || [nodeLength]byte(message[1:1+nodeLength]) == l.node {
		return
	}
	key := tryKey(message[1+nodeLength:])
	switch tryEvent(message[0]) {
	case accountTried:
		l.accounts.count(key, now)
	case addressTried:
		l.addresses.count(key, now)
	case accountForgiven:
		l.accounts.forget(key)
	case addressForgiven:
		l.addresses.giveBack(key)
	}
}
