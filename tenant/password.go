package tenant

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// PasswordCost is what one argon2id hash costs (RFC 9106). Raising it takes effect for each person at the next sign-in.
type PasswordCost struct {
	MemoryKiB uint32
	Passes    uint32
	Threads   uint8
}

// DefaultPasswordCost is OWASP's first recommendation: about 30 ms and 19 MiB a hash.
func DefaultPasswordCost() PasswordCost {
	return PasswordCost{MemoryKiB: 19 << 10, Passes: 2, Threads: 1}
}

// validate also guards the hashes that come from KV: a poisoned cost could take all memory.
func (c PasswordCost) validate() error {
	const maxMemoryKiB, maxPasses, maxThreads = 256 << 10, 16, 16
	if c.MemoryKiB < 8*uint32(c.Threads) || c.MemoryKiB > maxMemoryKiB || c.Passes < 1 || c.Passes > maxPasses ||
		c.Threads < 1 || c.Threads > maxThreads {
		return fmt.Errorf("password cost m=%d,t=%d,p=%d is out of bounds", c.MemoryKiB, c.Passes, c.Threads)
	}
	return nil
}

// less reports whether c is cheaper than want in any respect.
func (c PasswordCost) less(want PasswordCost) bool {
	return c.MemoryKiB < want.MemoryKiB || c.Passes < want.Passes
}

const (
	saltLength = 16
	hashLength = 32
	// hashQueue is how many sign-ins may wait for a free slot. Without it a flood of sign-ins queues without bound and
	// everybody times out.
	hashQueue = 32

	minPasswordRunes = 8
	maxPasswordBytes = 1024 // a hash's input is read whole, so it needs some bound
)

// hashGate computes password hashes, at most two a core at a time: each takes PasswordCost.MemoryKiB.
type hashGate struct {
	cost    PasswordCost
	rand    io.Reader
	slots   chan struct{}
	waiting atomic.Int64 // those who hold a slot, too
}

func newHashGate(cost PasswordCost, source io.Reader) *hashGate {
	return &hashGate{cost: cost, rand: source, slots: make(chan struct{}, 2*runtime.GOMAXPROCS(0))}
}

// passwordHash is a parsed hash. Its zero hash matches no password.
type passwordHash struct {
	cost PasswordCost
	salt []byte
	hash []byte
}

// hash returns the PHC string of a new password.
func (g *hashGate) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLength)
	if _, err := io.ReadFull(g.rand, salt); err != nil {
		return "", fmt.Errorf("draw a salt: %w", err)
	}
	h := passwordHash{cost: g.cost, salt: salt}
	sum, err := g.derive(ctx, h, password)
	if err != nil {
		return "", err
	}
	h.hash = sum
	return h.String(), nil
}

// verify compares a password with a stored hash, and says whether the hash is cheaper than it should be by now. An empty
// stored hash matches nothing and takes the same time, so that nobody learns which logins exist.
func (g *hashGate) verify(ctx context.Context, stored, password string) (ok, outdated bool, err error) {
	want := passwordHash{cost: g.cost, salt: make([]byte, saltLength), hash: make([]byte, hashLength)}
	if stored != "" {
		if want, err = parsePasswordHash(stored); err != nil {
			return false, false, err
		}
	}
	sum, err := g.derive(ctx, want, password)
	if err != nil {
		return false, false, err
	}
	same := subtle.ConstantTimeCompare(sum, want.hash) == 1
	return same && stored != "", want.cost.less(g.cost), nil
}

// derive runs the hash in one of the slots.
func (g *hashGate) derive(ctx context.Context, h passwordHash, password string) ([]byte, error) {
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > int64(cap(g.slots)+hashQueue) {
		busy := seamark.Errorf(seamark.RateLimited, "seamark-signin-busy", "Too many people are signing in at once; try again in a few seconds.")
		busy.RetryAfter = 5 * time.Second
		return nil, busy
	}
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-ctx.Done():
		return nil, unreachable(ctx.Err())
	}
	return argon2.IDKey([]byte(password), h.salt, h.cost.Passes, h.cost.MemoryKiB, h.cost.Threads, hashLength), nil
}

// String returns the hash in PHC format.
func (h passwordHash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.MemoryKiB, h.cost.Passes, h.cost.Threads,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.hash))
}

// parsePasswordHash is the inverse of String.
func parsePasswordHash(text string) (passwordHash, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return passwordHash{}, errors.New("password hash is not argon2id")
	}
	var h passwordHash
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.cost.MemoryKiB, &h.cost.Passes, &h.cost.Threads); err != nil {
		return passwordHash{}, errors.New("password hash has a malformed cost")
	}
	if err := h.cost.validate(); err != nil {
		return passwordHash{}, err
	}
	var saltErr, hashErr error
	h.salt, saltErr = base64.RawStdEncoding.DecodeString(parts[4])
	h.hash, hashErr = base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || hashErr != nil || len(h.salt) != saltLength || len(h.hash) != hashLength {
		return passwordHash{}, errors.New("password hash has a malformed salt or hash")
	}
	return h, nil
}

// checkPassword applies the rules of OWASP ASVS 6.2: length and no common passwords; nothing about composition.
func checkPassword(login, password string) error {
	if n := utf8.RuneCountInString(password); n < minPasswordRunes || len(password) > maxPasswordBytes {
		return fmt.Errorf("the password has %d characters; it needs %d at least and %d bytes at most", n, minPasswordRunes, maxPasswordBytes)
	}
	word := strings.ToLower(password)
	local, _, _ := strings.Cut(login, "@")
	core := strings.Trim(word, "0123456789!?.,;:*#$%&+-_=@ ")
	if isCommon(word) || isCommon(core) || isCommon(unleet(core)) || core == local || core == login || strings.Count(word, word[:1]) == len(word) {
		return errors.New("the password is among the first that an attacker tries; choose a longer one that is not a word with a number")
	}
	return nil
}

// isCommon reports whether word is on the list of common passwords.
func isCommon(word string) bool {
	return word != "" && strings.Contains(commonPasswords, "\n"+word+"\n")
}

// unleet undoes the letter substitutions that every cracking tool knows.
func unleet(word string) string {
	return strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i").Replace(word)
}
