package testkit

import (
	"testing"
	"time"
)

// Eventually calls cond until it returns nil, and fails the test with cond's last error after timeout. It starts with
// short pauses and lengthens them, so that quick conditions cost little and slow ones little CPU.
func Eventually(t testing.TB, timeout time.Duration, cond func() error) {
	t.Helper()
	deadline := time.Now().Add(timeout)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		err := cond()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still not so after %v: %v", timeout, err)
		}
		time.Sleep(pause)
	}
}
