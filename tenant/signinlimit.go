package tenant

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The brute-force limits (OWASP ASVS 6.3.1). Nobody is ever locked out: after the burst the next try is some seconds away, and
// twice as far with each one that is used at once, up to 16 times.
const (
	accountTriesPerMinute = 5
	addressTriesPerMinute = 20
	maxTryDoublings       = 4
)

// signInLimits bounds how fast passwords can be tried. Each node counts, and tells the others (see signinlimit_share.go).
type signInLimits struct {
	accounts, addresses *tryMeter
	conn                *nats.Conn
	node                [nodeLength]byte // tells this node's messages from others'
}

func newSignInLimits(conn *nats.Conn) *signInLimits {
	l := &signInLimits{accounts: newTryMeter(accountTriesPerMinute), addresses: newTryMeter(addressTriesPerMinute), conn: conn}
	l.draw()
	return l
}

// accountKey is what tries of an account are counted under. Where the person was signed in before they are counted apart, so
// that whoever tries passwords from elsewhere cannot keep the person out.
func accountKey(login, clientIP string, known bool) tryKey {
	if known {
		return newTryKey(login + "\x00" + addressKey(clientIP))
	}
	return newTryKey(login)
}

// admit counts one try. The error is of kind RateLimited and says when to come back.
func (l *signInLimits) admit(login, clientIP string, known bool, now time.Time) error {
	if err := l.admitAddress(clientIP, now); err != nil {
		return err
	}
	key := accountKey(login, clientIP, known)
	wait, ok := l.accounts.take(key, now)
	if !ok {
		return tooManyTries(wait)
	}
	l.tell(accountTried, key)
	return nil
}

// admitAddress counts one try that names no account.
func (l *signInLimits) admitAddress(clientIP string, now time.Time) error {
	key := newTryKey(addressKey(clientIP))
	wait, ok := l.addresses.take(key, now)
	if !ok {
		return tooManyTries(wait)
	}
	l.tell(addressTried, key)
	return nil
}

func tooManyTries(wait time.Duration) error {
	wait = wait.Truncate(time.Second) + time.Second // Retry-After counts whole seconds
	err := seamark.Errorf(seamark.RateLimited, "seamark-signin-limit",
		"Too many sign-ins were tried: the limit is %d a minute for an account and %d a minute for an address. Try again in %s.",
		accountTriesPerMinute, addressTriesPerMinute, wait)
	err.RetryAfter = wait
	return err
}

// forgive gives a successful sign-in its tries back.
func (l *signInLimits) forgive(login, clientIP string, known bool) {
	account, address := accountKey(login, clientIP, known), newTryKey(addressKey(clientIP))
	l.accounts.forget(account)
	l.addresses.giveBack(address)
	l.tell(accountForgiven, account)
	l.tell(addressForgiven, address)
}

// knows reports whether the person has a session in the network of an address, or had one until lately (deadSessionKeep).
func (d *Directory) knows(login, clientIP string) bool {
	user, _ := d.users.find(loginKey(login))
	if user == nil || clientIP == "" {
		return false
	}
	here := addressKey(clientIP)
	for _, s := range d.sessions.list(string(user.ID)) {
		if s.ClientIP != "" && addressKey(s.ClientIP) == here {
			return true
		}
	}
	return false
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

// trySpent is how many tries were used, as of a time, and how many of them in a row used the last one there was.
type trySpent struct {
	tries   float64
	strikes int
	at      time.Time
}

func newTryMeter(perMinute int) *tryMeter {
	const size = 1 << 14
	return &tryMeter{perMinute: float64(perMinute), seed: maphash.MakeSeed(), spent: make([]trySpent, size)}
}

func (m *tryMeter) slotLocked(key tryKey) *trySpent {
	return &m.spent[maphash.Bytes(m.seed, key[:])%uint64(len(m.spent))]
}

// rate is how many tries a minute come back after so many strikes.
func (m *tryMeter) rate(strikes int) float64 {
	return m.perMinute / float64(uint(1)<<min(max(strikes-1, 0), maxTryDoublings))
}

// settleLocked gives back what the time since the last look has earned.
func (m *tryMeter) settleLocked(s *trySpent, now time.Time) {
	elapsed := now.Sub(s.at)
	if elapsed <= 0 {
		return
	}
	s.tries = max(0, s.tries-elapsed.Minutes()*m.rate(s.strikes))
	s.at = now
	if s.tries == 0 {
		s.strikes = 0
	}
}

// take counts a try of key, or returns how long to wait for the next one.
func (m *tryMeter) take(key tryKey, now time.Time) (wait time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.slotLocked(key)
	m.settleLocked(s, now)
	if over := s.tries + 1 - m.perMinute; over > 0 {
		return time.Duration(over / m.rate(s.strikes) * float64(time.Minute)), false
	}
	m.spendLocked(s)
	return 0, true
}

// spendLocked uses a try, and doubles the way to the next when there was no other.
func (m *tryMeter) spendLocked(s *trySpent) {
	s.tries = min(s.tries+1, m.perMinute)
	if s.tries > m.perMinute-1 {
		s.strikes++
	}
}

// count takes note of a try that another node has let through.
func (m *tryMeter) count(key tryKey, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.slotLocked(key)
	m.settleLocked(s, now)
	m.spendLocked(s)
}

func (m *tryMeter) giveBack(key tryKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.slotLocked(key)
	s.tries = max(0, s.tries-1)
	s.strikes = max(0, s.strikes-1)
}

func (m *tryMeter) forget(key tryKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.slotLocked(key)
	s.tries, s.strikes = 0, 0
}
