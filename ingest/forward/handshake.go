package forward

import (
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// handshake is one connection's: HELO from us, PING from the client, PONG from us.
type handshake struct {
	sharedKey string
	server    string // our name
	nonce     []byte
	salt      []byte // of the user's authentication; empty when none is asked for
}

// newHandshake makes the random parts. They are hex, because some clients take them for text.
func newHandshake(sharedKey, server string, askUser bool) *handshake {
	h := &handshake{sharedKey: sharedKey, server: server, nonce: randomHex()}
	if askUser {
		h.salt = randomHex()
	}
	return h
}

func randomHex() []byte {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return hex.AppendEncode(nil, b[:])
}

// helo is ["HELO", {"nonce": ..., "auth": ..., "keepalive": true}].
func (h *handshake) helo() []byte {
	b := append([]byte{0x92}, packString("HELO")...)
	b = append(append(append(b, 0x83), packString("nonce")...), packBin(h.nonce)...)
	b = append(append(b, packString("auth")...), packBin(h.salt)...)
	return append(append(b, packString("keepalive")...), 0xc3)
}

// ping is a client's ["PING", hostname, salt, digest of the shared key, user, digest of the password].
type ping struct {
	hostname, salt, digest, user string
}

// parsePing reads PING. The error is Invalid seamark-forward-ping.
func parsePing(raw []byte) (p ping, err error) {
	r := reader{buf: raw}
	array, ok := r.next()
	var fields [6]string
	if ok = ok && array.kind == kindArray && array.count == len(fields); ok {
		for i := range fields {
			v, found := r.next()
			ok = ok && found && (v.kind == kindStr || v.kind == kindBin || i >= 4 && v.kind == kindNil)
			fields[i] = string(v.data)
		}
	}
	if !ok || fields[0] != "PING" {
		return p, seamark.Errorf(seamark.Invalid, "seamark-forward-ping",
			"The handshake's answer is not a PING of six parts. This listener asks for a handshake: configure the shared key in the sender.")
	}
	return ping{hostname: fields[1], salt: fields[2], digest: fields[3], user: fields[4]}, nil
}

// knows reports whether the client has the shared key.
func (h *handshake) knows(p *ping) bool {
	return subtle.ConstantTimeCompare([]byte(h.digest(p.salt, p.hostname)), []byte(p.digest)) == 1
}

// digest is sha512_hex(salt + hostname + nonce + shared key).
func (h *handshake) digest(salt, hostname string) string {
	sum := sha512.New()
	for _, part := range []string{salt, hostname, string(h.nonce), h.sharedKey} {
		_, _ = sum.Write([]byte(part)) // a hash never fails
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// pong is ["PONG", true, "", our name, digest of the shared key]: the client checks that we have it too.
func (h *handshake) pong(p *ping) []byte {
	b := append(append([]byte{0x95}, packString("PONG")...), 0xc3)
	b = append(append(b, packString("")...), packString(h.server)...)
	return append(b, packString(h.digest(p.salt, h.server))...)
}

// refusal is ["PONG", false, reason, "", ""]. It has no digest: who does not have the key must not learn one.
func refusal(reason string) []byte {
	b := append(append([]byte{0x95}, packString("PONG")...), 0xc2)
	return append(append(append(b, packString(reason)...), packString("")...), packString("")...)
}

// acknowledgement is {"ack": chunk}.
func acknowledgement(dst []byte, chunk string) []byte {
	dst = append(append(dst, 0x81), packString("ack")...)
	return append(dst, packString(chunk)...)
}

// packString packs text in its shortest form.
func packString(s string) []byte {
	var b []byte
	switch n := len(s); {
	case n < 32:
		b = append(b, 0xa0|byte(n))
	case n < 1<<8:
		b = append(b, 0xd9, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0xda), uint16(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, 0xdb), uint32(n))
	}
	return append(b, s...)
}

// packBin packs at most 255 bytes.
func packBin(s []byte) []byte { return append([]byte{0xc4, byte(len(s))}, s...) }
