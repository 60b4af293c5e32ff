package tenant

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The brute-force limits (OWASP ASVS 6.3.1). Nobody is ever locked out: after the burst the next try is some seconds away.
const (
	accountTriesPerMinute = 5
	addressTriesPerMinute = 20
)

// signInLimits bounds how fast passwords can be tried, on this node.
type signInLimits struct{ accounts, addresses *tryMeter }

func newSignInLimits() signInLimits {
	return signInLimits{accounts: newTryMeter(accountTriesPerMinute), addresses: newTryMeter(addressTriesPerMinute)}
}

// admit counts one try. The error is of kind RateLimited and says when to come back.
func (l signInLimits) admit(login, clientIP string, now time.Time) error {
	wait, ok := l.addresses.take(addressKey(clientIP), now)
	if ok {
		wait, ok = l.accounts.take(login, now)
	}
	if ok {
		return nil
	}
	wait = wait.Truncate(time.Second) + time.Second // Retry-After counts whole seconds
	err := seamark.Errorf(seamark.RateLimited, "seamark-signin-limit",
		"Too many sign-ins were tried: the limit is %d a minute for an account and %d a minute for an address. Try again in %s.",
		accountTriesPerMinute, addressTriesPerMinute, wait)
	err.RetryAfter = wait
	return err
}

// forgive gives a successful sign-in its tries back.
func (l signInLimits) forgive(login, clientIP string) {
	l.accounts.forget(login)
	l.addresses.giveBack(addressKey(clientIP))
}

// addressKey groups IPv6 addresses by their /64, which is what one customer of a provider has.
func addressKey(clientIP string) string {
	ip, err := netip.ParseAddr(clientIP)
	if err != nil {
		return clientIP
	}
	ip = ip.Unmap()
	if ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return clientIP
	}
	return prefix.String()
}

// tryMeter is a fixed number of token buckets, chosen by a keyed hash. Its size never changes and nothing is evicted, so
// a flood of made-up names can neither grow it nor push out the name under attack; names that share a bucket share a
// limit.
type tryMeter struct {
	perMinute float64
	seed      maphash.Seed

	mu    sync.Mutex
	spent []trySpent
}

// trySpent is how many tries were used, as of a time.
type trySpent struct {
	tries float64
	at    time.Time
}

func newTryMeter(perMinute int) *tryMeter {
	const size = 1 << 14
	return &tryMeter{perMinute: float64(perMinute), seed: maphash.MakeSeed(), spent: make([]trySpent, size)}
}

func (m *tryMeter) slotLocked(key string) *trySpent {
	return &m.spent[maphash.String(m.seed, key)%uint64(len(m.spent))]
}

// take counts a try of key, or returns how long to wait for the next one.
func (m *tryMeter) take(key string, now time.Time) (wait time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.slotLocked(key)
	if elapsed := now.Sub(s.at); elapsed > 0 {
		s.tries = max(0, s.tries-elapsed.Minutes()*m.perMinute)
		s.at = now
	}
	if over := s.tries + 1 - m.perMinute; over > 0 {
		return time.Duration(over / m.perMinute * float64(time.Minute)), false
	}
	s.tries++
	return 0, true
}

func (m *tryMeter) giveBack(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.slotLocked(key)
	s.tries = max(0, s.tries-1)
}

func (m *tryMeter) forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.slotLocked(key).tries = 0
}
